// Which memory orders of a piece of code are needed.
// SPDX-License-Identifier: MIT
#pragma once

#include "support/model/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace asyncio::test::model {

/// For each atomic operation of the file that the programs reach: the weakest order with which all
/// of them still hold, if that is not relaxed. "take exchange acquire", sorted.
std::vector<std::string> orders_needed(const std::vector<Program>& programs,
                                       std::string_view file);

}  // namespace asyncio::test::model
