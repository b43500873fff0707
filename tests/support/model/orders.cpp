// Weakens one order after the other, and looks if the model finds a fault.
// SPDX-License-Identifier: MIT
#include "support/model/orders.hpp"

#include <algorithm>
#include <utility>

namespace asyncio::test::model {
namespace {

using Programs = std::vector<Program>;

std::vector<Site> sites_of(const Programs& programs, std::string_view file) {
  std::vector<Site> all;
  for (const auto& program : programs) {
    for (Site& site : explore({}, program).sites) {
      const bool is_new = std::none_of(all.begin(), all.end(), [&](const Site& other) {
        return other.line == site.line && other.column == site.column;
      });
      if (is_new && site.file.ends_with(file)) all.push_back(std::move(site));
    }
  }
  return all;
}

bool all_hold(const Programs& programs, const Site& weakened) {
  return std::all_of(programs.begin(), programs.end(), [&](const auto& program) {
    return explore({.weakened = weakened}, program).holds();
  });
}

Order weakest_that_holds(const Programs& programs, Site site) {
  const Order wanted = site.order;
  for (const Order order : weaker(site)) {
    site.order = order;
    if (all_hold(programs, site)) return order;
  }
  return wanted;
}

}  // namespace

std::vector<std::string> orders_needed(const Programs& programs, std::string_view file) {
  std::vector<std::string> needed;
  for (const Site& site : sites_of(programs, file)) {
    const Order weakest = weakest_that_holds(programs, site);
    if (weakest == std::memory_order_relaxed) continue;
    needed.push_back(site.name + " " + order_name(weakest));
  }
  std::sort(needed.begin(), needed.end());
  return needed;
}

}  // namespace asyncio::test::model
