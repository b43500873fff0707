// The life of a worker: called, at work, idle, gone.
// SPDX-License-Identifier: MIT
#include "threads/pool.hpp"

#include <asyncio/exceptions.hpp>

#include "base/futex.hpp"

#include <algorithm>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace asyncio::inline v0::detail {

// ---- the line

void Pool::push(ThreadJob& job) noexcept {
  line_.push(job);
  if (++waiting_ >= sweep_at_) [[unlikely]] sweep();
}

ThreadJob* Pool::pop() noexcept {
  ReadyNode* const first = line_.first;
  if (!first) return nullptr;
  line_.first = first->next;
  if (!line_.first) line_.last = &line_.first;
  --waiting_;
  return static_cast<ThreadJob*>(first);
}

void Pool::sweep() noexcept {
  ReadyNode* node = line_.take();
  waiting_ = 0;
  while (node) {
    ReadyNode* const next = node->next;
    auto& job = static_cast<ThreadJob&>(*node);
    if (job.withdrawn()) {
      job.release();
    } else {
      line_.push(job);
      ++waiting_;
    }
    node = next;
  }
  sweep_at_ = std::max(first_sweep, waiting_ * 2);
}

bool Pool::submit(ThreadJob& job) {
  if (in_forked_child()) {
    throw RuntimeError("the thread pool belongs to the process that made this one by fork(); make "
                       "a new one here");
  }
  Lock lock(mutex_);
  if (closing_) {
    throw RuntimeError("the thread pool takes no more calls: it was shut down");
  }
  if (alive_ == 0) start_worker();  // without one, the job would wait for ever
  push(job);
  Worker* const called = call_another();
  const bool first = everybody_waits();
  lock.unlock();
  if (called) ring(*called);
  return first;
}

// ---- jobs that wait for jobs [K3]

namespace {
constinit thread_local Pool* pool_of_this_thread = nullptr;
}

Pool* Pool::of_this_thread() noexcept { return pool_of_this_thread; }

bool Pool::everybody_waits() noexcept {
  return in_wait_ == most_ && waiting_ > 0 && !std::exchange(said_, true);
}

bool Pool::enter_wait() noexcept {
  const Lock lock(mutex_);
  ++in_wait_;
  return everybody_waits();
}

void Pool::leave_wait() noexcept {
  const Lock lock(mutex_);
  --in_wait_;
}

// ---- who comes next

Pool::Worker* Pool::call_another() noexcept {
  if (coming_) return nullptr;
  if (Worker* const worker = idle_) {
    idle_ = worker->next_idle;
    coming_ = true;
    return worker;
  }
  if (alive_ < most_) {
    try {
      start_worker();
    } catch (...) {
      // Those that are there will do; the next submit() tries again.
    }
  }
  return nullptr;
}

void Pool::start_worker() {
  auto worker = std::make_unique<Worker>();
  workers_.reserve(workers_.size() + 1);
  Worker& me = *worker;
  forks_.store(forks_so_far(), std::memory_order_relaxed);
  retain();
  try {
    worker->thread = std::thread([this, &me] { work(me); });
  } catch (const std::system_error& error) {
    release();
    throw std::system_error(error.code(), "ThreadPool: a thread cannot be started");
  } catch (...) {
    release();
    throw;
  }
  if (detached_) worker->thread.detach();
  workers_.push_back(std::move(worker));
  ++alive_;
  coming_ = true;
}

void Pool::ring(Worker& worker) noexcept {
  worker.bell.store(1, std::memory_order_release);
  futex_wake_one(worker.bell);
}

// ---- a worker

void Pool::work(Worker& me) noexcept {
  pool_of_this_thread = this;
  Lock lock(mutex_);
  coming_ = false;
  for (;;) {
    if (ThreadJob* const job = pop()) {
      Worker* const called = line_.empty() ? nullptr : call_another();
      me.call = job->name;
      me.at_work = true;
      lock.unlock();
      if (called) ring(*called);
      job->run();
      lock.lock();
      me.at_work = false;
      said_ = false;
    } else if (closing_) {
      break;
    } else {
      be_idle(lock, me);
    }
  }
  go(lock);
}

// Spinning for some microseconds first was tried: with four workers it gained nothing (320 ns a job
// with 64 in flight, either way), and yielding instead made each batch a batch of one.
void Pool::be_idle(Lock& lock, Worker& me) noexcept {
  me.bell.store(0, std::memory_order_relaxed);
  me.next_idle = std::exchange(idle_, &me);
  lock.unlock();
  while (me.bell.load(std::memory_order_acquire) == 0) futex_wait(me.bell, 0);
  lock.lock();
  coming_ = false;
}

void Pool::go(Lock& lock) noexcept {
  if (--alive_ == 0) last_has_gone(lock);
  else lock.unlock();
  release();
}

// ---- the end

void Pool::last_has_gone(Lock& lock) noexcept {
  ReadyNode* farewell = farewells_.take();
  gone_.store(1, std::memory_order_release);
  lock.unlock();
  futex_wake_all(gone_);
  while (farewell) {
    ReadyNode* const next = farewell->next;
    static_cast<ThreadJob*>(farewell)->run();
    farewell = next;
  }
}

void Pool::shutdown() noexcept {
  if (in_forked_child()) return;
  Lock lock(mutex_);
  closing_ = true;
  Worker* worker = std::exchange(idle_, nullptr);
  if (alive_ == 0) last_has_gone(lock);
  else lock.unlock();
  while (worker) {
    Worker* const next = worker->next_idle;
    ring(*worker);
    worker = next;
  }
}

void Pool::bid_farewell(ThreadJob& job) noexcept {
  if (in_forked_child()) return job.run();
  Lock lock(mutex_);
  farewells_.push(job);
  if (alive_ == 0) last_has_gone(lock);
}

bool Pool::nobody_can_wait() {
  const Lock lock(mutex_);
  return detached_ || std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) {
    return worker->thread.get_id() == std::this_thread::get_id();
  });
}

void Pool::join() {
  if (in_forked_child()) return;
  if (nobody_can_wait()) return detach();
  while (gone_.load(std::memory_order_acquire) == 0) futex_wait(gone_, 0);
  Lock lock(mutex_);
  const auto workers = std::exchange(workers_, {});
  lock.unlock();
  for (const auto& worker : workers) worker->thread.join();
}

void Pool::detach() noexcept {
  if (in_forked_child()) return;
  const Lock lock(mutex_);
  if (std::exchange(detached_, true)) return;
  for (const auto& worker : workers_) worker->thread.detach();
}

void Pool::drop_line() noexcept {
  Lock lock(mutex_);
  ReadyNode* node = line_.take();
  waiting_ = 0;
  lock.unlock();
  while (node) {
    ReadyNode* const next = node->next;
    static_cast<ThreadJob*>(node)->discard();
    node = next;
  }
}

std::size_t Pool::workers() {
  if (in_forked_child()) return 0;
  const Lock lock(mutex_);
  return alive_;
}

std::vector<CallName> Pool::at_work() {
  if (in_forked_child()) return {};
  const Lock lock(mutex_);
  std::vector<CallName> calls;
  for (const auto& worker : workers_) {
    if (worker->at_work) calls.push_back(worker->call);
  }
  return calls;
}

LonePool::LonePool() : pool_(new Pool(1)) {}

LonePool::~LonePool() {
  pool_->shutdown();
  pool_->detach();
  pool_->release();
}

}  // namespace asyncio::inline v0::detail

namespace asyncio::inline v0 {
namespace {

// As Python's: a call may wait for the network as well as compute.
std::size_t usual_workers() noexcept {
  constexpr std::size_t beside_the_cores = 4;
  constexpr std::size_t most = 32;
  return std::min<std::size_t>(most, std::thread::hardware_concurrency() + beside_the_cores);
}

}  // namespace

ThreadPool::ThreadPool() : ThreadPool(usual_workers()) {}

ThreadPool::ThreadPool(std::size_t max_workers) {
  if (max_workers == 0) throw std::invalid_argument("ThreadPool: max_workers must be at least 1");
  pool_ = new detail::Pool(max_workers);
}

ThreadPool::~ThreadPool() {
  shutdown(true);
  pool_->release();
}

void ThreadPool::shutdown(bool wait) {
  pool_->shutdown();
  if (wait) pool_->join();
}

std::size_t ThreadPool::max_workers() const noexcept { return pool_->most(); }
std::size_t ThreadPool::workers() const { return pool_->workers(); }

}  // namespace asyncio::inline v0
