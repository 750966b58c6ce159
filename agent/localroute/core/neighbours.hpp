// For each stop, the few that may sensibly stand next to it: near by road, and with windows that fit one after the other.
#pragma once

#include <vector>

#include "problem.hpp"

namespace core {

class Neighbours {
 public:
  Neighbours(const Problem& problem, int most);

  int count() const { return count_; }
  const int* before(int node) const { return before_.data() + static_cast<std::size_t>(node) * count_; }
  const int* after(int node) const { return after_.data() + static_cast<std::size_t>(node) * count_; }

 private:
  int count_;
  std::vector<int> before_, after_;  // by node, nearest first; `before` may hold node 0, the van's place
};

}  // namespace core
