#include "search.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "clock.hpp"
#include "moves.hpp"
#include "random.hpp"

namespace core {
namespace {

double env(const char* name, double usual) {
  const char* text = std::getenv(name);
  return text ? std::atof(text) : usual;
}

// Changes a few stops near each other, whatever it costs, and has the local search look there.
void shake(const Problem& problem, const Neighbours& neighbours, Route& route, Moves& moves, Random& dice, std::vector<int>& touched, double p_bridge, int span) {
  const int frozen = problem.frozen, count = route.size();
  if (count - frozen < 3) return;
  touched.clear();
  if (dice.share() < p_bridge) {
    // Two neighbouring blocks change places (a double bridge, near one spot).
    const int most = std::min(span, count - frozen - 1);
    for (int tries = 0; tries < 10; ++tries) {
      const int a = dice.between(1, most), b = dice.between(1, most);
      if (a + b > count - frozen) continue;
      const int first = dice.between(frozen, count - a - b);
      const Move move = put_behind(first, first + a - 1, first + a + b - 1, false);
      if (!route.keeps_rules(move)) continue;
      route.apply(move, &touched);
      break;
    }
  } else {
    // A few stops around one of them each go beside a random neighbour of theirs.
    const int centre = route.at(dice.between(frozen, count - 1));
    const int some = dice.between(2, 5);
    for (int i = 0; i < some; ++i) {
      const int node = i == 0 || neighbours.count() == 0 ? centre : neighbours.before(centre)[dice.below(neighbours.count())];
      const int place = node == 0 ? kNone : route.place_of(node);
      if (place < frozen) continue;
      const int beside = neighbours.before(node)[dice.below(neighbours.count())];
      const int behind = beside == 0 ? -1 : route.place_of(beside);
      if ((beside != 0 && behind == kNone) || behind + 1 < frozen || behind == place || behind == place - 1) continue;
      const Move move = put_behind(place, place, behind, false);
      if (route.keeps_rules(move)) route.apply(move, &touched);
    }
  }
  for (int node : touched) moves.look_at(node);
}

}  // namespace

Found search(const Problem& problem, const std::vector<int>& start, const Settings& settings,
             const std::atomic<bool>& stop, const std::function<void(const std::vector<int>&, double)>& say) {
  const Clock clock(settings.limit_s, stop);
  problem.require(start);
  const Neighbours neighbours(problem, static_cast<int>(env("NB", settings.neighbours)));
  Moves moves(problem, neighbours, clock);
  Random dice(settings.seed);
  Route route(problem), kept(problem), best(problem);
  route.set(start);
  best.copy(route);
  moves.look_at_all(route);
  moves.improve(route);
  if (route.cost() < best.cost()) best.copy(route);
  kept.copy(route);

  std::vector<int> touched;
  touched.reserve(64);
  Found found;
  const double p_bridge = env("PB", 0.5), alpha = env("ALPHA", 0.3), fin = env("FIN", 0.01);
  const int span = static_cast<int>(env("SPAN", 20));
  double usual_loss = 0;  // of a shaken and repaired plan that is worse: a running median
  std::int64_t worse = 0;
  while (!clock.is_up() && (settings.iterations == 0 || found.iterations < settings.iterations)) {
    ++found.iterations;
    const double share = settings.iterations ? static_cast<double>(found.iterations) / settings.iterations
                                             : std::min(1.0, clock.seconds() / clock.limit_s());
    shake(problem, neighbours, route, moves, dice, touched, p_bridge, span);
    moves.improve(route);
    const double loss = route.cost() - kept.cost();
    if (loss > tolerance(kept.cost())) {
      ++worse;
      if (worse == 1) usual_loss = loss;
      const double rate = std::max(0.02, 1.0 / worse);
      usual_loss *= loss > usual_loss ? 1 + rate : 1 / (1 + rate);
    }
    const double heat = alpha * usual_loss * std::pow(fin, share);
    if (loss <= -heat * std::log(dice.share() + 1e-300)) {
      kept.copy(route);
      if (route.cost() < best.cost() - tolerance(best.cost())) best.copy(route);
    } else {
      route.copy(kept);
    }
  }
  (void)say;
  found.order.assign(best.begin(), best.end());
  found.cost = best.cost();
  found.priced = moves.priced();
  found.seconds = clock.seconds();
  return found;
}

}  // namespace core
