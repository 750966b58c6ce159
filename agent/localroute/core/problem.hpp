// The day in numbers, as the search reads it. Seconds throughout; prices are seconds too.
//
// Node 0 is where the van is, nodes 1..n are the stops in an order of their own (by name), node n+1 is the end of the
// day. Chargers follow, where the van's charge is looked at: they have legs and are no stops.
// ../problem.md says what each term of the objective means; ../check.py computes it a second time, apart from us.
#pragma once

#include <array>
#include <limits>
#include <vector>

#include "energy.hpp"

namespace core {

inline constexpr double kInf = std::numeric_limits<double>::infinity();
inline constexpr int kNone = -1;
inline constexpr int kLoads = 3;  // kilograms, litres, parcels
inline constexpr int kMostStops = 1000;

struct Window {
  double opens, closes;
};

// From `from` until the next slot begins, a leg takes `factor` times as long.
struct Slot {
  double from, factor;
};

struct Stop {
  double setup = 0, service = 0;
  double opens = -kInf, closes = kInf;  // of all its windows
  double late_price = 0;                // for a second past `closes`
  bool is_anywhere = false;             // a break: done where the van stands
  bool has_gaps = false;                // several windows, with time between them
  int first_window = 0, windows = 0;    // in Problem::windows; only when it has gaps
  int group = kNone;
  int rank = kNone;  // its place in the driver's order
  double promise_opens = -kInf, promise_closes = kInf, promise_price = 0;
  std::array<double, kLoads> load{};  // what comes aboard here; negative: what leaves the van
  int pickup = kNone, drop = kNone;   // the node before, or after, this one that it makes a pair with
  int locked_at = kNone;
  bool is_last = false;      // after all that are not
  double skip_price = kInf;  // infinite: it must be served

  bool is_optional() const { return skip_price < kInf; }
};

struct Problem {
  int nodes = 0;
  std::vector<double> time, price;  // width x width; the price of a leg is its time but where there is no road
  std::vector<Stop> stops;          // by node; 0 is unused, the last is the end of the day
  std::vector<Window> windows;
  std::vector<Slot> slots;
  double wait_price = 0, moved_price = 0;
  double overload_price = 0, split_price = 0, no_road_price = kInf;
  std::array<double, kLoads> aboard{}, capacity{kInf, kInf, kInf};
  Energy energy;
  int frozen = 0;  // so many stops at the head of the order stay as they are

  // What of all this the day has at all; found by `prepare`, so that the search can leave out the rest.
  bool has_load = false, has_pairs = false, has_groups = false, has_optional = false, has_locks = false;
  bool has_breaks = false, has_last = false, is_plain = false;
  // By how much a plan may become cheaper by a charging stop: hours of quicker traffic, promises that were too early, a
  // break whose waiting is used to drive to a charger. For hours and breaks it is a guess, since a bound that allows for
  // all of it would let every change pass.
  double worth_waiting = 0;

  int end() const { return nodes - 1; }
  int width() const { return nodes + static_cast<int>(energy.chargers.size()); }
  std::size_t leg(int a, int b) const { return static_cast<std::size_t>(a) * width() + b; }
  double leg_time(int a, int b) const { return time[leg(a, b)]; }
  double leg_price(int a, int b) const { return price[leg(a, b)]; }

  // Completes what is derived. Throws std::invalid_argument, in words, for numbers that make no sense.
  void prepare();
  // Throws std::invalid_argument when `order` is not an order that keeps every rule.
  void require(const std::vector<int>& order) const;
};

}  // namespace core
