#include "search.hpp"

#include <algorithm>
#include <cmath>

#include "clock.hpp"
#include "exact.hpp"
#include "moves.hpp"
#include "random.hpp"
#include "shake.hpp"

namespace core {
namespace {

constexpr std::int64_t kBeforeExact = 50;  // so that the exact search has a good plan to beat
constexpr std::int64_t kEndless = std::int64_t{1} << 62;

// How much worse a plan may be and still be kept: much at first, next to nothing in the end. The measure is what a shake
// usually costs (a running median), so that the search is the same whether a second late costs 0.5 or 10,000.
class Heat {
 public:
  bool accepts(double loss, double tolerance, double done, Random& dice) {
    if (loss <= tolerance) return true;
    ++worse_;
    if (worse_ == 1) usual_ = loss;
    const double rate = std::max(0.02, 1.0 / static_cast<double>(worse_));
    usual_ *= loss > usual_ ? 1 + rate : 1 / (1 + rate);
    const double heat = kFirst * usual_ * std::pow(kLast, done);
    return loss <= -heat * std::log(dice.share() + 1e-300);
  }

 private:
  static constexpr double kFirst = 0.3, kLast = 0.01;
  double usual_ = 0;
  std::int64_t worse_ = 0;
};

}  // namespace

Found search(const Problem& problem, const std::vector<int>& start, const Settings& settings,
             const std::atomic<bool>& stop, const std::function<void(const std::vector<int>&, double)>& say) {
  const Clock clock(settings.limit_s, stop);
  problem.require(start);
  const Neighbours neighbours(problem, settings.neighbours);
  Moves moves(problem, neighbours, clock);
  Shake shake(problem, neighbours);
  Random dice(settings.seed);
  Route route(problem), kept(problem), best(problem);
  Found found;
  double said_at = -kInf;
  const auto is_better = [&] { return route.cost() < best.cost() - tolerance(best.cost()); };
  const auto remember = [&] {
    best.copy(route);
    found.order.assign(best.begin(), best.end());
    if (!say || clock.seconds() - said_at < settings.say_every_s) return;
    said_at = clock.seconds();
    say(found.order, best.cost());
  };

  route.set(start);
  best.copy(route);
  found.order.reserve(problem.nodes);
  found.order.assign(best.begin(), best.end());
  const auto mend_uncharged = [&] {
    route.count_charge(false);
    moves.improve(route);
    route.count_charge(true);
    moves.look_at_all(route);
  };
  moves.look_at_all(route);
  if (problem.energy.is_counted) mend_uncharged();
  moves.improve(route);
  if (is_better()) remember();
  else route.copy(best);
  kept.copy(route);

  const bool is_exact = settings.may_be_exact && !problem.energy.is_counted && is_small(problem, problem.nodes - 2);
  const std::int64_t most = is_exact ? kBeforeExact : settings.iterations ? settings.iterations : kEndless;
  Heat heat;
  while (found.iterations < most && !clock.is_up()) {
    ++found.iterations;
    const double done = most < kEndless ? static_cast<double>(found.iterations) / static_cast<double>(most)
                                        : clock.seconds() / clock.limit_s();
    shake.change(route, moves, dice);
    if (problem.energy.is_counted && route.driven_cost() > (found.iterations % 2 ? 1 : 2) * kept.cost()) {
      mend_uncharged();  // too dear even if the battery were without end, and so it is quicker: by turns sooner or later
    }
    moves.improve(route);
    if (heat.accepts(route.cost() - kept.cost(), tolerance(kept.cost()), std::min(1.0, done), dice)) {
      kept.copy(route);
      if (is_better()) remember();
    } else {
      route.copy(kept);
    }
  }
  if (is_exact && !clock.is_up()) {
    if (const auto order = cheaper(problem, found.order, clock, found.is_exact)) {
      route.set(*order);
      if (is_better()) remember();
    }
  }
  found.cost = best.cost();
  found.priced = moves.priced();
  found.seconds = clock.seconds();
  return found;
}

}  // namespace core
