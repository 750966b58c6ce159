#include "shake.hpp"

#include <algorithm>

namespace core {
namespace {

constexpr double kBlocks = 0.5;     // how often blocks change places, rather than stops being scattered
constexpr int kLongestBlock = 20;
constexpr int kMostScattered = 5;
constexpr double kChoices = 0.3;    // how often a stop is left out or taken in, where any may be
constexpr int kTries = 10;

}  // namespace

Shake::Shake(const Problem& problem, const Neighbours& neighbours)
    : problem_(problem), neighbours_(neighbours), spare_(problem) {
  for (int node = 1; node < problem.end(); ++node)
    if (problem.stops[node].is_optional() && problem.stops[node].pickup == kNone)
      optional_.emplace_back(node, problem.stops[node].drop);
  touched_.reserve(static_cast<std::size_t>(kMostScattered) * (2 * Move::kMostPieces + 2));
  order_.reserve(problem.nodes);
}

void Shake::change(Route& route, Moves& moves, Random& dice) {
  touched_.clear();
  if (!optional_.empty() && dice.share() < kChoices)
    choose(route, dice);
  else if (route.size() - problem_.frozen < 3)
    return;
  else if (dice.share() < kBlocks)
    swap_blocks(route, dice);
  else
    scatter(route, dice);
  for (int node : touched_) moves.look_at(node);
}

// Two neighbouring blocks change places: a double bridge, near one spot.
void Shake::swap_blocks(Route& route, Random& dice) {
  const int free = route.size() - problem_.frozen;
  const int longest = std::min(kLongestBlock, free - 1);
  for (int i = 0; i < kTries; ++i) {
    const int a = dice.between(1, longest), b = dice.between(1, longest);
    if (a + b > free) continue;
    const int first = dice.between(problem_.frozen, route.size() - a - b);
    const Move move = put_behind(first, first + a - 1, first + a + b - 1, false);
    if (!route.keeps_rules(move)) continue;
    route.apply(move, &touched_);
    return;
  }
}

// A stop and some of its neighbours each go beside a random neighbour of their own.
void Shake::scatter(Route& route, Random& dice) {
  const int centre = route.at(dice.between(problem_.frozen, route.size() - 1));
  const int count = neighbours_.count();
  if (count == 0) return;
  for (int left = dice.between(2, kMostScattered), node = centre; left > 0; --left) {
    const int place = node == 0 ? kNone : route.place_of(node);
    const int beside = neighbours_.before(node)[dice.below(count)];
    const int behind = beside == 0 ? -1 : route.place_of(beside);
    const bool is_known = beside == 0 || behind != kNone;
    if (place >= problem_.frozen && is_known && behind + 1 >= problem_.frozen && behind != place && behind != place - 1) {
      const Move move = put_behind(place, place, behind, false);
      if (route.keeps_rules(move)) route.apply(move, &touched_);
    }
    node = neighbours_.before(centre)[dice.below(count)];
    if (node == 0) node = centre;
  }
}

// A stop that may be left out is left out; or one that was is taken in where it costs least. Pairs as a whole.
void Shake::choose(Route& route, Random& dice) {
  const auto [node, drop] = optional_[dice.below(static_cast<int>(optional_.size()))];
  order_.assign(route.begin(), route.end());
  if (route.place_of(node) != kNone) {
    for (const int gone : {node, drop}) {
      if (gone == kNone) continue;
      const int place = route.place_of(gone);
      if (place > 0) touched_.push_back(route.at(place - 1));
      if (place + 1 < route.size()) touched_.push_back(route.at(place + 1));
      order_.erase(std::find(order_.begin(), order_.end(), gone));
    }
    std::erase_if(touched_, [&](int other) { return other == node || other == drop; });
    route.set(order_);
    return;
  }
  const int place = best_place(route, node, problem_.frozen);
  order_.insert(order_.begin() + place, node);
  if (drop != kNone) {
    // Until its pair is complete the plan breaks a rule; it is priced, never kept.
    spare_.set(order_);
    order_.insert(order_.begin() + best_place(spare_, drop, place + 1), drop);
    touched_.push_back(drop);
  }
  route.set(order_);
  touched_.push_back(node);
}

// Where, from the place `from` on, `node` would cost least; whether it moves others is not looked at.
int Shake::best_place(const Route& route, int node, int from) const {
  const bool is_last = problem_.stops[node].is_last;
  const int first = is_last ? std::max(from, route.last_from()) : from;
  const int last = is_last ? route.size() : std::max(route.last_from(), first);
  int best = first;
  double least = kInf;
  for (int place = first; place <= last; ++place) {
    Walk walk;
    walk.load = problem_.aboard;
    for (int at = 0; at <= route.size() && walk.cost < least; ++at) {
      if (at == place) take_step(problem_, route.ranks(), walk, node);
      take_step(problem_, route.ranks(), walk, at == route.size() ? problem_.end() : route.at(at));
    }
    if (walk.cost < least) {
      least = walk.cost;
      best = place;
    }
  }
  return best;
}

}  // namespace core
