#include "problem.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace core {
namespace {

constexpr double kUsuallyWorth = 600;  // seconds

[[noreturn]] void refuse(const std::string& why) { throw std::invalid_argument(why); }

std::string name(int node) { return "stop " + std::to_string(node); }

void check_number(double value, const std::string& what, double least = -kInf) {
  if (!std::isfinite(value)) refuse(what + " is not a finite number");
  if (value < least) refuse(what + " is negative");
}

void check_energy(const Energy& energy, std::size_t cells, std::size_t nodes) {
  for (double value : {energy.charge, energy.charge_sd, energy.reserve, energy.common, energy.own, energy.z,
                       energy.charge_price, energy.short_price, energy.short_price_per_kwh})
    check_number(value, "a number of the battery", 0);
  if (energy.use.size() != cells || (!energy.use_per_kg.empty() && energy.use_per_kg.size() != cells))
    refuse("what legs use does not fit the matrix");
  if (energy.standing.size() != nodes) refuse("what stops use does not fit the stops");
  for (const auto* values : {&energy.use, &energy.use_per_kg, &energy.standing, &energy.levels})
    for (double value : *values) check_number(value, "an amount of energy", 0);
  for (std::size_t i = 1; i < energy.levels.size(); ++i)
    if (!(energy.levels[i] > energy.levels[i - 1])) refuse("the levels to charge to do not grow");
  if (!energy.chargers.empty() && energy.levels.empty()) refuse("there is no level to charge to");
  for (const Charger& charger : energy.chargers) {
    check_number(charger.setup, "the setup of a charger", 0);
    if (charger.curve.size() < 2) refuse("a charging curve has fewer than two points");
    for (std::size_t i = 0; i < charger.curve.size(); ++i) {
      check_number(charger.curve[i].first, "a charging curve");
      check_number(charger.curve[i].second, "a charging curve");
      if (i > 0 && !(charger.curve[i].first > charger.curve[i - 1].first && charger.curve[i].second > charger.curve[i - 1].second))
        refuse("a charging curve does not grow");
    }
  }
}

}  // namespace

void Problem::prepare() {
  if (nodes < 2) refuse("a problem has at least the van and the end of the day");
  if (frozen < 0) refuse("the number of frozen stops is negative");
  if (nodes > kMostStops + 2) refuse("more than " + std::to_string(kMostStops) + " stops");
  const auto cells = static_cast<std::size_t>(width()) * width();
  if (time.size() != cells || price.size() != cells) refuse("the matrix does not fit the stops");
  if (static_cast<int>(stops.size()) != nodes) refuse("there are not as many stops as the matrix has");
  for (double value : time) check_number(value, "a leg's time", 0);
  for (double value : price) check_number(value, "a leg's price", 0);
  check_number(wait_price, "the price of waiting", 0);
  check_number(moved_price, "the price of moving a stop", 0);
  check_number(overload_price, "the price of an overload", 0);
  check_number(split_price, "the price of splitting a group", 0);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    check_number(slots[i].from, "the beginning of a slot");
    check_number(slots[i].factor, "a slot's factor", 0);
    if (slots[i].factor <= 0) refuse("a slot's factor is not more than 0");
    if (i > 0 && slots[i].from <= slots[i - 1].from) refuse("the slots are not in order");
  }
  bool has_gaps = false, has_promises = false;
  worth_waiting = 0;
  for (int node = 1; node < nodes; ++node) {
    const Stop& stop = stops[node];
    check_number(stop.setup, "the setup of " + name(node), 0);
    check_number(stop.service, "the service of " + name(node), 0);
    check_number(stop.late_price, "the price of lateness of " + name(node), 0);
    check_number(stop.promise_price, "the price of the promise of " + name(node), 0);
    if (std::isnan(stop.skip_price) || stop.skip_price < 0) refuse("the price of skipping " + name(node) + " is no price");
    if (!(stop.opens <= stop.closes)) refuse("a window of " + name(node) + " closes before it opens");
    if (!(stop.promise_opens <= stop.promise_closes)) refuse("the promise of " + name(node) + " ends before it begins");
    for (double load : stop.load) check_number(load, "the load of " + name(node));
    for (int i = 0; i < stop.windows; ++i) {
      const Window& window = windows[stop.first_window + i];
      if (!(window.opens <= window.closes)) refuse("a window of " + name(node) + " closes before it opens");
      if (i > 0 && !(windows[stop.first_window + i - 1].closes < window.opens)) refuse("windows of " + name(node) + " overlap");
    }
    if (stop.pickup != kNone && stop.pickup > 0 && stop.pickup < end() && stops[stop.pickup].drop != node)
      refuse(name(node) + " makes a pair with no stop");
    for (int other : {stop.pickup, stop.drop})
      if (other != kNone && (other <= 0 || other >= end() || other == node)) refuse(name(node) + " makes a pair with no stop");
    if (stop.group < kNone || stop.group >= nodes) refuse("the group of " + name(node) + " is no group");
    if (stop.rank < kNone || stop.rank >= nodes) refuse("the rank of " + name(node) + " is no rank");
    if (stop.locked_at < kNone) refuse("the place of " + name(node) + " is no place");
    has_gaps |= stop.has_gaps;
    has_promises |= stop.promise_price > 0;
    worth_waiting += stop.promise_price;
    has_groups |= stop.group != kNone;
    has_pairs |= stop.pickup != kNone || stop.drop != kNone;
    has_optional |= stop.is_optional() && node != end();
    has_locks |= stop.locked_at != kNone;
    has_breaks |= stop.is_anywhere;
    has_last |= stop.is_last;
  }
  for (int i = 0; i < kLoads; ++i) {
    check_number(aboard[i], "the load aboard");
    if (std::isnan(capacity[i]) || capacity[i] < 0) refuse("the capacity is no capacity");
    has_load |= capacity[i] < kInf;
  }
  if (energy.is_counted) check_energy(energy, cells, stops.size());
  if (has_breaks || !slots.empty()) worth_waiting += kUsuallyWorth;
  is_plain = !has_gaps && !has_promises && !has_groups && !has_breaks && !has_load && slots.empty();
}

void Problem::require(const std::vector<int>& order) const {
  std::vector<int> place(nodes, kNone);
  const int count = static_cast<int>(order.size());
  for (int at = 0; at < count; ++at) {
    if (order[at] <= 0 || order[at] >= end()) refuse("the order names a stop that is not in the problem");
    if (place[order[at]] != kNone) refuse(name(order[at]) + " stands twice in the order");
    place[order[at]] = at;
  }
  bool saw_last = false;
  if (frozen > count) refuse("the order is shorter than what is frozen");
  for (int node = 1; node < end(); ++node) {
    const Stop& stop = stops[node];
    if (place[node] == kNone && !stop.is_optional()) refuse(name(node) + " is missing from the order");
    if (place[node] != kNone && stop.locked_at != kNone && stop.locked_at != place[node]) refuse(name(node) + " is not where it is locked");
    if (stop.pickup == kNone) continue;
    if ((place[node] == kNone) != (place[stop.pickup] == kNone)) refuse(name(node) + " is in the order without the other of its pair");
    if (place[node] != kNone && place[stop.pickup] > place[node]) refuse(name(node) + " comes before its pickup");
  }
  for (int node : order) {
    if (stops[node].is_last) saw_last = true;
    else if (saw_last) refuse(name(node) + " comes after a stop that was put off");
  }
}

}  // namespace core
