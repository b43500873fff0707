// The rules of the memory model, one function for each.
// SPDX-License-Identifier: MIT
#include "support/model/memory.hpp"

#include <algorithm>
#include <utility>

namespace asyncio::test::model {
namespace {

bool acquires(Order order) noexcept {
  return order != std::memory_order_relaxed && order != std::memory_order_release;
}
bool releases(Order order) noexcept {
  return order == std::memory_order_release || order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

}  // namespace

void View::join(const View& other) noexcept {
  for (std::size_t i = 0; i < most_threads; ++i) {
    happened[i] = std::max(happened[i], other.happened[i]);
  }
  for (std::size_t i = 0; i < most_places; ++i) oldest[i] = std::max(oldest[i], other.oldest[i]);
}

// ---- threads and places

void Memory::clear(bool moody) {
  views_.fill({});
  count_ = 0;
  operations_.clear();
  for (auto& own : operations_of_) own.clear();
  failed_stale_.fill(!moody);
  failed_weak_.fill(!moody);
  views_[0].happened[0] = 1;
}

void Memory::begin_thread(Thread parent, Thread child) {
  views_[child].join(views_[parent]);
  views_[child].happened[child] = 1;
  step(parent);
}

void Memory::join_thread(Thread parent, Thread child) { views_[parent].join(views_[child]); }

PlaceId Memory::make(Thread me, Value value) {
  if (count_ == most_places) fate_.fail("the model", "has too few places");
  Place& place = places_[count_];
  place.stores.clear();
  place.stores.push_back({value, {}});
  place.in_sequence.clear();
  place.used.fill(0);
  place.oldest_in_kernel = 0;
  place.made = {me, views_[me].happened[me]};
  place.gone = false;
  place.name = "an atomic object";
  return count_++;
}

void Memory::end(Thread me, PlaceId at) {
  use(me, at);
  Place& place = places_[at];
  place.gone = true;
  for (Thread other = 0; other < most_threads; ++other) {
    if (!knows(me, {other, place.used[other]})) {
      fate_.fail(name(at), "is destroyed while another thread may still be using it");
    }
  }
}

void Memory::use(Thread me, PlaceId at) {
  Place& place = places_[at];
  if (place.gone) fate_.fail(name(at), "is used after it was destroyed");
  if (!knows(me, place.made)) fate_.fail(name(at), "is used before it is known to be made");
  place.used[me] = views_[me].happened[me];
}

void Memory::refresh(Thread me, PlaceId at) noexcept {
  views_[me].oldest[at] = static_cast<std::uint16_t>(stores(at) - 1);
}

void Memory::enter_kernel(Thread me, PlaceId at) noexcept {
  std::uint16_t& known = views_[me].oldest[at];
  known = std::max(known, places_[at].oldest_in_kernel);
  places_[at].oldest_in_kernel = known;
}

// ---- loads and stores

void Memory::find_readable(Thread me, PlaceId at, Order order) {
  const Place& place = places_[at];
  readable_.clear();
  const View& view = views_[me];
  for (Index index = stores(at); index-- > view.oldest[at];) {
    if (order == std::memory_order_seq_cst) {
      View known = view;
      known.join(place.stores[index].message);
      const Sequence before = sequenced_before(known);
      const bool circle = std::any_of(
          place.in_sequence.begin(), place.in_sequence.end(), [&](const InSequence& other) {
            return other.index > index && before.test(other.number);
          });
      if (circle) continue;
    }
    readable_.push_back(index);
  }
}

Memory::Did Memory::read_one(Thread me, PlaceId at, Index index, Order order) {
  const Store& store = places_[at].stores[index];
  View& view = views_[me];
  view.oldest[at] = static_cast<std::uint16_t>(index);
  if (acquires(order)) view.join(store.message);
  if (order == std::memory_order_seq_cst) put_in_sequence(me, at, index, false);
  step(me);
  return {store.value, store.value, stores(at) - 1 - index, false};
}

Memory::Did Memory::load(Thread me, PlaceId at, Order order) {
  use(me, at);
  find_readable(me, at, order);
  return read_one(me, at, readable_[fate_.choose(readable_.size())], order);
}

Memory::Did Memory::store(Thread me, PlaceId at, Value value, Order order) {
  use(me, at);
  const Value seen = newest(at).value;
  View& view = views_[me];
  const Index index = stores(at);
  view.oldest[at] = static_cast<std::uint16_t>(index);
  places_[at].stores.push_back({value, releases(order) ? view : View{}});
  if (order == std::memory_order_seq_cst) put_in_sequence(me, at, index, true);
  step(me);
  return {seen, value, 0, true};
}

Memory::Did Memory::replace(Thread me, PlaceId at, Value value, Order order) {
  use(me, at);
  View& view = views_[me];
  const Value seen = newest(at).value;
  if (acquires(order)) view.join(newest(at).message);
  const Index index = stores(at);
  view.oldest[at] = static_cast<std::uint16_t>(index);
  View message = newest(at).message;  // the release sequence goes on
  if (releases(order)) message.join(view);
  places_[at].stores.push_back({value, message});
  if (order == std::memory_order_seq_cst) put_in_sequence(me, at, index, true);
  step(me);
  return {seen, value, 0, true};
}

// One that fails is a load, and may read something old; a weak one may fail for no reason. Each
// once a run and thread, since it is tried again.
Memory::Did Memory::compare_exchange(Thread me, PlaceId at, const Exchange& exchange) {
  use(me, at);
  const Index last = stores(at) - 1;
  const bool fits = newest(at).value == exchange.expected;
  find_readable(me, at, exchange.failure);
  std::vector<Index>& failures = readable_;
  std::erase_if(failures, [&](Index index) {
    const bool differs = places_[at].stores[index].value != exchange.expected;
    if (index == last) return fits && (!exchange.weak || failed_weak_[me]);
    return !differs || failed_stale_[me];
  });
  const std::size_t choice = fate_.choose(failures.size() + (fits ? 1 : 0));
  if (fits && choice == 0) return replace(me, at, exchange.desired, exchange.success);
  const Index index = failures[choice - (fits ? 1 : 0)];
  if (index != last) failed_stale_[me] = true;
  else if (fits) failed_weak_[me] = true;
  return read_one(me, at, index, exchange.failure);
}

// ---- the one order of what is sequentially consistent

Memory::Sequence Memory::sequenced_before(const View& view) const noexcept {
  Sequence before;
  for (Thread thread = 0; thread < most_threads; ++thread) {
    const auto& own = operations_of_[thread];
    for (auto at = own.rbegin(); at != own.rend(); ++at) {
      if (operations_[*at].stamp.time > view.happened[thread]) continue;
      before |= operations_[*at].before;
      before.set(*at);
      break;
    }
  }
  return before;
}

void Memory::put_in_sequence(Thread me, PlaceId at, Index index, bool wrote) {
  const std::size_t number = operations_.size();
  if (number == most_in_sequence) fate_.fail("the run", "is too long for the model");
  Place& place = places_[at];
  Sequence before = sequenced_before(views_[me]);
  bool is_first = true;
  for (const InSequence& other : place.in_sequence) {
    if (other.index < index || (other.index == index && other.wrote)) {
      before |= operations_[other.number].before;
      before.set(other.number);
    } else if (other.index > index) {
      is_first = false;
    }
  }
  operations_.push_back({{me, views_[me].happened[me]}, before});
  operations_of_[me].push_back(number);
  if (!is_first) {  // a load of something old: it goes before those that know better
    Sequence with_me = before;
    with_me.set(number);
    Sequence better;
    for (const InSequence& other : place.in_sequence) {
      if (other.index > index) better.set(other.number);
    }
    for (std::size_t i = 0; i < number; ++i) {
      Operation& other = operations_[i];
      if (better.test(i) || (other.before & better).any()) other.before |= with_me;
    }
  }
  place.in_sequence.push_back({number, index, wrote});
}

// ---- plain objects

void Memory::read(Thread me, Touches& touches) {
  if (touches.gone) fate_.fail("a plain object", "is read after it was destroyed");
  if (!knows(me, touches.written)) {
    fate_.fail("a race: a plain object", "is read that another thread may still be writing");
  }
  touches.read[me] = views_[me].happened[me];
}

void Memory::write(Thread me, Touches& touches) {
  if (touches.gone) fate_.fail("a plain object", "is written after it was destroyed");
  if (!knows(me, touches.written)) {
    fate_.fail("a race: a plain object", "is written that another thread may still be writing");
  }
  for (Thread other = 0; other < most_threads; ++other) {
    if (!knows(me, {other, touches.read[other]})) {
      fate_.fail("a race: a plain object", "is written that another thread may still be reading");
    }
  }
  touches.written = {me, views_[me].happened[me]};
}

void Memory::end(Thread me, Touches& touches) {
  write(me, touches);
  touches.gone = true;
}

}  // namespace asyncio::test::model
