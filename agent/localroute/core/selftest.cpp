// The core against itself, without Python: for the sanitizers, and for the one law that bounds stand on.
//
// For random problems and random moves: a move costs what the plan costs once it is made; `price` gives up only on moves that
// cost the limit or more. Then searches of every size from nothing to 60 stops, with everything a problem can have.
// Built and run by tests/agent/localroute/test_sanitizers.py.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "exact.hpp"
#include "moves.hpp"
#include "random.hpp"
#include "search.hpp"

namespace {

using namespace core;

void require(bool is_true, const char* what, int round) {
  if (is_true) return;
  std::fprintf(stderr, "round %d: %s\n", round, what);
  std::exit(1);
}

// Two chargers, and a charge for a part of the day or for all. Every way by a charger is longer than any without.
void add_energy(Problem& problem, Random& dice) {
  const auto between = [&](double least, double most) { return least + dice.share() * (most - least); };
  const int nodes = problem.nodes, width = nodes + 2;
  const std::vector<double> legs = problem.time;
  problem.time.assign(static_cast<std::size_t>(width) * width, 0);
  for (int a = 0; a < width; ++a)
    for (int b = 0; b < width; ++b) {
      double& leg = problem.time[static_cast<std::size_t>(a) * width + b];
      leg = a < nodes && b < nodes ? legs[static_cast<std::size_t>(a) * nodes + b] : between(450, 900);
    }
  problem.price = problem.time;
  Energy& energy = problem.energy;
  energy.is_counted = true;
  const double battery = 1.0 * nodes;
  energy.charge = between(0.2, 1.2) * battery;
  energy.reserve = 0.1 * battery;
  energy.common = 0.1;
  energy.own = 0.2;
  energy.z = 1.645;
  energy.short_price = 1e6;
  energy.short_price_per_kwh = 1e5;
  for (int level = 1; level <= 5; ++level) energy.levels.push_back(0.2 * level * battery);
  for (double leg : problem.time) energy.use.push_back(0.002 * leg * between(0.8, 1.2));
  energy.standing.assign(nodes, 0.01);
  energy.chargers.assign(2, Charger{60, {{0, 0}, {0.8 * battery, 100 * battery}, {battery, 200 * battery}}});
}

Problem a_problem(int stops, Random& dice) {
  const auto has = [&](double chance) { return dice.share() < chance; };
  const auto between = [&](double least, double most) { return least + dice.share() * (most - least); };
  Problem problem;
  problem.nodes = stops + 2;
  problem.stops.resize(problem.nodes);
  const bool is_plain = has(0.3);
  for (int i = 0; i < problem.nodes * problem.nodes; ++i) problem.time.push_back(between(0, 900));
  problem.price = problem.time;
  problem.no_road_price = 1e7;
  if (has(0.3))
    for (double& price : problem.price)
      if (has(0.02)) price = problem.no_road_price;
  problem.wait_price = has(0.5) ? 0.5 : 0;
  problem.moved_price = has(0.5) ? 30 : 0;
  problem.overload_price = problem.split_price = 1e6;
  if (!is_plain && has(0.3)) problem.slots = {{600, 1.7}, {1800, 0.8}};
  const bool has_load = !is_plain && has(0.4), has_optional = !is_plain && has(0.3);
  if (has_load) problem.capacity = {60, kInf, 6};
  int ranks = 0, open_pickup = kNone;
  for (int node = 1; node <= stops; ++node) {
    Stop& stop = problem.stops[node];
    stop.setup = between(0, 60);
    stop.service = between(0, 300);
    stop.late_price = has(0.3) ? 20 : 0.5;
    if (has(0.6)) {
      stop.opens = between(-600, 300.0 * stops);
      stop.closes = stop.opens + between(0, 3600);
      if (!is_plain && has(0.3)) {
        stop.has_gaps = true;
        stop.first_window = static_cast<int>(problem.windows.size());
        stop.windows = 2;
        problem.windows.push_back({stop.opens, stop.closes});
        problem.windows.push_back({stop.closes + 300, stop.closes + 900});
        stop.closes += 900;
      }
    }
    if (has(0.8)) stop.rank = ranks++;
    if (is_plain) continue;
    if (has(0.1)) {
      stop.is_anywhere = true;
      stop.rank = kNone;
    } else if (has(0.2)) {
      stop.group = dice.below(2);
    }
    if (has(0.2)) {
      stop.promise_opens = between(0, 300.0 * stops);
      stop.promise_closes = stop.promise_opens + 600;
      stop.promise_price = 300;
    }
    if (has_load) stop.load = {between(-20, 20), 1, has(0.5) ? 2.0 : -2.0};
    if (open_pickup != kNone && has(0.5)) {
      stop.pickup = open_pickup;
      problem.stops[open_pickup].drop = node;
      open_pickup = kNone;
    } else if (open_pickup == kNone && has(0.3)) {
      open_pickup = node;
    } else if (has_optional && has(0.4) && node != open_pickup) {
      stop.skip_price = between(0, 1500);
    }
  }
  if (has(0.7)) {
    problem.stops.back().closes = between(0, 400.0 * stops);
    problem.stops.back().late_price = 0.5;
  }
  if (stops < 10 && has(0.4)) add_energy(problem, dice);
  problem.prepare();
  return problem;
}

Move a_move(const Route& route, Random& dice) {
  const int count = route.size();
  const int a = dice.below(count), b = dice.below(count), c = dice.below(count), d = dice.below(count);
  int places[4] = {a, b, c, d};
  std::sort(places, places + 4);
  switch (dice.below(4)) {
    case 0: return reverse(places[0], places[1]);
    case 1: return put_behind(places[0], places[1], places[2] > places[1] ? places[2] : count - 1, dice.below(2) == 0);
    case 2: return put_behind(places[1], places[2], places[0] - 1, dice.below(2) == 0);
    default: return places[1] < places[2] ? exchange(places[0], places[1], places[2], places[3]) : reverse(places[0], places[3]);
  }
}

void moves_cost_what_they_say(const Problem& problem, const std::vector<int>& start, Random& dice, int round) {
  Route route(problem), after(problem), fresh(problem);
  route.set(start);
  for (int i = 0; i < 200 && route.size() > 0; ++i) {
    const Move move = a_move(route, dice);
    if (!route.keeps_rules(move)) continue;
    const double price = route.price(move, kInf);
    after.copy(route);
    after.apply(move);
    problem.require({after.begin(), after.end()});  // throws where a rule is broken
    fresh.set(after.begin(), after.size());
    const double hair = 1e-6 + 1e-9 * std::abs(fresh.cost());
    require(std::abs(after.cost() - fresh.cost()) <= hair, "a plan that was changed costs other than the same plan set anew", round);
    require(std::abs(price - fresh.cost()) <= hair, "a move is priced other than what it comes to", round);
    const bool is_bound_certain = !problem.energy.is_counted || (problem.slots.empty() && !problem.has_breaks);
    for (const double limit : {fresh.cost() + 2 * hair, fresh.cost() + 100})
      require(!is_bound_certain || route.price(move, limit) < kInf, "a bound gave up on a move that is cheap enough", round);
    if (dice.below(4) == 0) route.apply(move);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 200;
  Random dice(7);
  const std::atomic<bool> stop{false};
  for (int round = 0; round < rounds; ++round) {
    const int stops = dice.below(round % 10 == 0 ? 60 : 14);
    const Problem problem = a_problem(stops, dice);
    std::vector<int> start;
    for (int node = 1; node <= stops; ++node) start.push_back(node);
    moves_cost_what_they_say(problem, start, dice, round);
    Settings settings;
    settings.iterations = 60;
    settings.limit_s = 60;
    settings.seed = static_cast<std::uint64_t>(round);
    Route plan(problem);
    plan.set(start);
    const Found found = search(problem, start, settings, stop, nullptr);
    require(found.cost <= plan.cost(), "the plan found is worse than the one begun with", round);
    problem.require(found.order);
    plan.set(found.order);
    require(std::abs(plan.cost() - found.cost) <= 1e-6 + 1e-9 * std::abs(found.cost), "the plan found costs other than told", round);
    require(search(problem, start, settings, stop, nullptr).order == found.order, "the same search found another plan", round);
  }
  std::printf("%d rounds\n", rounds);
}
