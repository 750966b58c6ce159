// When few stops are left, the best order there is, by dynamic programming.
#pragma once

#include <optional>
#include <vector>

#include "clock.hpp"
#include "problem.hpp"

namespace core {

inline constexpr int kMostExact = 12;         // stops that are not frozen
inline constexpr int kMostExactOptional = 4;  // of them, stops that may be left out
inline constexpr int kAlwaysExact = 8;        // so few that every choice and order of them can be looked at

bool is_small(const Problem& problem, int stops);

// An order cheaper than `best` by more than rounding, if there is one. `is_proven` says that no order is cheaper than what is
// then known; it is false when the time was up, or the ways to keep in mind were too many.
std::optional<std::vector<int>> cheaper(const Problem& problem, const std::vector<int>& best, const Clock& clock, bool& is_proven);

}  // namespace core
