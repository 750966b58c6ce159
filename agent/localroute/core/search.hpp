// Iterated local search: shake the plan a little, repair it by small moves, keep it when it is not much worse; remember
// the best. See README.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "problem.hpp"

namespace core {

struct Settings {
  std::uint64_t seed = 1;
  std::int64_t iterations = 0;  // 0: until the time is up
  double limit_s = 1.0;
  int neighbours = 12;
  bool may_be_exact = true;
  double say_every_s = 0.05;
};

struct Found {
  std::vector<int> order;
  double cost = 0;
  std::int64_t iterations = 0, priced = 0;
  double seconds = 0;
  bool is_exact = false;  // no order is better
};

// Never worse than `start`, which keeps the rules. `say` is told better orders, at most one in `say_every_s`.
Found search(const Problem& problem, const std::vector<int>& start, const Settings& settings,
             const std::atomic<bool>& stop, const std::function<void(const std::vector<int>&, double)>& say);

}  // namespace core
