// Labels: a set of stops done, and one way of doing them, known by the state (`Walk`) it leads to. Of two ways to the same
// set that ended at the same stop, one is forgotten when the other is no later and cheaper even after it has waited for
// the first: being early by d seconds never costs more than d seconds of waiting, since with one rule for when service begins
// the earlier van stays the earlier one, and all it can do with its lead is wait. (Where legs take longer by the hour it
// may also drive d seconds longer. Where both slots and gaps between windows exist that is no longer so: nothing is forgotten
// then, which up to eight stops bear.)
// A promise may be missed for being early, so the promises to come are added to the price of the lead.
#include "exact.hpp"

#include <algorithm>
#include <bit>

#include "moves.hpp"
#include "route.hpp"

namespace core {
namespace {

constexpr std::size_t kMostLabels = 150'000;

bool has_gaps(const Problem& problem) {
  for (int node = 1; node < problem.end(); ++node)
    if (problem.stops[node].has_gaps) return true;
  return false;
}

struct Label {
  Walk walk;
  int node = 0, parent = kNone, next = kNone;
  bool is_dominated = false;
};

class Table {
 public:
  Table(const Problem& problem, const Route& route, const Clock& clock) : problem_(problem), route_(route), clock_(clock) {
    for (int at = problem.frozen; at < route.size(); ++at) free_.push_back(route.at(at));
    std::sort(free_.begin(), free_.end());
    cheapest_.assign(problem.nodes, 0.0);
    if (problem.slots.empty())
      for (int node : free_) cheapest_[node] = cheapest_leg(node);
    for (int i = 0; i < count(); ++i)
      if (problem.stops[free_[i]].is_last) last_ |= 1U << i;
    for (int i = 0; i < count(); ++i)
      for (int j = 0; j < count(); ++j)
        if (problem.stops[free_[i]].pickup == free_[j]) pickup_of_.push_back({1U << i, 1U << j});
    labels_.reserve(4096);
    heads_.assign(std::size_t{1} << count(), kNone);
    may_forget_ = problem.slots.empty() || !has_gaps(problem);
  }

  // The cheapest order of the route's stops, if cheaper than `limit`.
  std::optional<std::vector<int>> solve(double limit, bool& is_proven) {
    const unsigned all = (1U << count()) - 1;
    Label start;
    start.walk.load = problem_.aboard;
    for (int at = 0; at < problem_.frozen; ++at) take_step(problem_, route_.ranks(), start.walk, route_.at(at));
    labels_.push_back(start);
    heads_[0] = 0;
    int best = kNone;
    limit -= route_.base();
    for (unsigned done = 0; done <= all; ++done) {
      if (clock_.is_up() || labels_.size() > kMostLabels) {
        is_proven = false;
        break;
      }
      for (int index = heads_[done]; index != kNone; index = labels_[index].next) {
        if (labels_[index].is_dominated) continue;
        if (done == all) {
          Walk home = labels_[index].walk;
          take_step(problem_, route_.ranks(), home, problem_.end());
          if (home.cost < limit) {
            limit = home.cost;
            best = index;
          }
          continue;
        }
        for (int i = 0; i < count(); ++i)
          if (may_follow(done, i)) extend(index, done, i, limit);
      }
    }
    if (best == kNone) return std::nullopt;
    std::vector<int> order;
    for (int index = best; index != 0; index = labels_[index].parent) order.push_back(labels_[index].node);
    for (int at = problem_.frozen - 1; at >= 0; --at) order.push_back(route_.at(at));
    std::reverse(order.begin(), order.end());
    return order;
  }

 private:
  int count() const { return static_cast<int>(free_.size()); }

  double cheapest_leg(int node) const {
    if (problem_.stops[node].is_anywhere) return 0;
    double least = kInf;
    for (int from = 0; from < problem_.end(); ++from)
      if (from != node) least = std::min(least, problem_.leg_price(from, node));
    return least;
  }

  bool may_follow(unsigned done, int i) const {
    if (done >> i & 1U) return false;
    const Stop& stop = problem_.stops[free_[i]];
    const int place = problem_.frozen + std::popcount(done);
    if (problem_.has_locks) {
      if (stop.locked_at != kNone && stop.locked_at != place) return false;
      if (stop.locked_at == kNone)
        for (int node : free_)
          if (problem_.stops[node].locked_at == place) return false;
    }
    if (stop.is_last && (done | last_) != (1U << count()) - 1) return false;
    for (const auto& [drop, pickup] : pickup_of_)
      if (drop == 1U << i && !(done & pickup)) return false;
    return true;
  }

  void extend(int index, unsigned done, int i, double limit) {
    const int node = free_[i];
    const unsigned now = done | 1U << i;
    Label label;
    label.walk = labels_[index].walk;
    take_step(problem_, route_.ranks(), label.walk, node);
    double to_come = 0, promises = 0;
    for (int j = 0; j < count(); ++j) {
      if (now >> j & 1U) continue;
      to_come += cheapest_[free_[j]];
      promises += problem_.stops[free_[j]].promise_price;
    }
    if (label.walk.cost + to_come >= limit) return;
    const double lead_price = problem_.slots.empty() ? problem_.wait_price : 1.0;
    const auto is_as_good = [&](const Walk& a, const Walk& b) {
      return a.clock <= b.clock && a.cost + promises + lead_price * (b.clock - a.clock) <= b.cost;
    };
    const Walk& mine = label.walk;
    for (int other = may_forget_ ? heads_[now] : kNone; other != kNone; other = labels_[other].next) {
      Label& theirs = labels_[other];
      const Walk& walk = theirs.walk;
      if (theirs.is_dominated || walk.here != mine.here || walk.rank != mine.rank || walk.group != mine.group) continue;
      if (is_as_good(walk, mine)) return;
      if (is_as_good(mine, walk)) theirs.is_dominated = true;
    }
    label.node = node;
    label.parent = index;
    label.next = heads_[now];
    heads_[now] = static_cast<int>(labels_.size());
    labels_.push_back(label);
  }

  const Problem& problem_;
  const Route& route_;
  const Clock& clock_;
  std::vector<int> free_;
  std::vector<double> cheapest_;
  unsigned last_ = 0;
  bool may_forget_ = true;
  std::vector<std::pair<unsigned, unsigned>> pickup_of_;
  std::vector<Label> labels_;
  std::vector<int> heads_;
};

}  // namespace

bool is_small(const Problem& problem, int stops) {
  const int free = stops - problem.frozen;
  if (free <= kAlwaysExact) return true;
  int optional = 0;
  for (int node = 1; node < problem.end(); ++node) optional += problem.stops[node].is_optional();
  return free <= kMostExact && optional <= kMostExactOptional && (problem.slots.empty() || !has_gaps(problem));
}

std::optional<std::vector<int>> cheaper(const Problem& problem, const std::vector<int>& best, const Clock& clock, bool& is_proven) {
  is_proven = true;
  std::optional<std::vector<int>> found;
  Route route(problem);
  route.set(best);
  double limit = route.cost() - tolerance(route.cost());
  std::vector<int> optional, order;
  for (int node = 1; node < problem.end(); ++node)
    if (problem.stops[node].is_optional()) optional.push_back(node);
  // Each choice of stops to leave out is a problem of its own: ranks and prices depend on it.
  for (unsigned left_out = 0; left_out < 1U << optional.size(); ++left_out) {
    std::vector<char> is_out(problem.nodes, 0);
    for (std::size_t i = 0; i < optional.size(); ++i) is_out[optional[i]] = left_out >> i & 1U;
    bool is_whole = true;
    for (int node : optional)
      if (const int pickup = problem.stops[node].pickup; pickup != kNone && is_out[pickup] != is_out[node]) is_whole = false;
    if (!is_whole) continue;
    order.assign(best.begin(), best.begin() + problem.frozen);
    for (const bool is_last : {false, true})
      for (int node = 1; node < problem.end(); ++node)
        if (!is_out[node] && problem.stops[node].is_last == is_last && std::find(order.begin(), order.begin() + problem.frozen, node) == order.begin() + problem.frozen)
          order.push_back(node);
    route.set(order);
    Table table(problem, route, clock);
    bool was_proven = true;
    if (auto better = table.solve(limit, was_proven)) {
      route.set(*better);
      limit = route.cost() - tolerance(route.cost());
      found = std::move(better);
    }
    is_proven = is_proven && was_proven;
  }
  return found;
}

}  // namespace core
