#include "neighbours.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace core {
namespace {

constexpr double kWaitWeight = 0.2;  // waiting between two stops that follow each other, against driving
constexpr double kMostLateWeight = 1.0;

double distance(const Problem& problem, int a, int b) {
  const Stop& first = problem.stops[a];
  const Stop& then = problem.stops[b];
  const double leg = problem.leg_time(a, b) + then.setup;
  double far = problem.leg_price(a, b);
  if (a != 0 && then.opens > -kInf && first.closes < kInf)
    far += kWaitWeight * std::max(0.0, then.opens - (first.closes + first.service + leg));
  if (a != 0 && first.opens > -kInf && then.closes < kInf)
    far += std::min(kMostLateWeight, then.late_price) * std::max(0.0, first.opens + first.service + leg - then.closes);
  return far;
}

}  // namespace

Neighbours::Neighbours(const Problem& problem, int most) {
  const int stops = problem.nodes - 2;
  count_ = std::max(0, std::min(most, stops - 1));
  before_.resize(static_cast<std::size_t>(problem.nodes) * count_);
  after_.resize(static_cast<std::size_t>(problem.nodes) * count_);
  std::vector<std::pair<double, int>> far(stops + 1);
  for (int node = 1; node <= stops; ++node) {
    for (const bool is_before : {true, false}) {
      far.clear();
      for (int other = is_before ? 0 : 1; other <= stops; ++other)
        if (other != node) far.emplace_back(is_before ? distance(problem, other, node) : distance(problem, node, other), other);
      std::partial_sort(far.begin(), far.begin() + count_, far.end());
      int* list = (is_before ? before_ : after_).data() + static_cast<std::size_t>(node) * count_;
      for (int i = 0; i < count_; ++i) list[i] = far[i].second;
    }
  }
}

}  // namespace core
