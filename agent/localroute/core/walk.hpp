// One step along a plan: drive to a stop, wait, serve; and what that costs. The true objective, all of it, is here.
//
// A `Walk` is all that the past means for the future: the clock, the place, and the last stop's rank, group and load.
// Every term is at least 0, so the cost of a walk only grows, and a walk dearer than the best known may be given up.
#pragma once

#include <algorithm>

#include "problem.hpp"

namespace core {

struct Walk {
  double clock = 0;  // when the van left the last stop
  double cost = 0;
  int here = 0;
  int rank = kNone;   // of the last stop that the driver's order had
  int group = kNone;  // of the last stop that was no break
  std::array<double, kLoads> load{};
};

// What one step was made of; kept for the plan in force, from which bounds are computed.
struct Step {
  double arrive = 0, drive = 0, waited = 0, late_cost = 0, late_price = 0;
  double moved_cost = 0, split_cost = 0, other_cost = 0;  // other: promises and overload
};

// Earliest beginning of service for a driver at the door at `ready`.
inline double begins(const Problem& problem, const Stop& stop, double ready) {
  if (ready < stop.opens) return stop.opens;
  if (!stop.has_gaps) return ready;
  for (int i = 0; i < stop.windows; ++i) {
    const Window& window = problem.windows[stop.first_window + i];
    if (ready <= window.closes) return std::max(ready, window.opens);
  }
  return ready;
}

// Duration of a leg of `usual` seconds begun at `clock`, the slots being driven through one after the other, so that
// who leaves later never arrives earlier.
inline double driven(const Problem& problem, double clock, double usual) {
  double left = usual, now = clock, factor = 1;
  for (const Slot& slot : problem.slots) {
    if (slot.from > now) {
      const double here = (slot.from - now) / factor;  // usual seconds that fit before the slot begins
      if (here >= left) return now - clock + left * factor;
      left -= here;
      now = slot.from;
    }
    factor = slot.factor;
  }
  return now - clock + left * factor;
}

// The step to a stop, with nothing but windows, waiting, and the price of moving.
inline void plain_step(const Problem& problem, const int* ranks, Walk& walk, int node) {
  const Stop& stop = problem.stops[node];
  const std::size_t leg = problem.leg(walk.here, node);
  const double ready = walk.clock + problem.time[leg] + stop.setup;
  walk.cost += problem.price[leg];
  double start = ready;
  if (ready < stop.opens) {
    start = stop.opens;
    walk.cost += problem.wait_price * (start - ready);
  } else if (ready > stop.closes) {
    walk.cost += stop.late_price * (ready - stop.closes);
  }
  walk.clock = start + stop.service;
  walk.here = node;
  const int rank = ranks[node];
  if (rank != kNone) {
    if (rank != walk.rank + 1) walk.cost += problem.moved_price;
    walk.rank = rank;
  }
}

// The step to a stop, with every term there is; `step` is told what it was made of.
inline void full_step(const Problem& problem, const int* ranks, Walk& walk, int node, Step& step) {
  const Stop& stop = problem.stops[node];
  step = Step{};
  if (!stop.is_anywhere) {
    step.drive = problem.leg_time(walk.here, node);
    const double price = problem.leg_price(walk.here, node);
    if (problem.slots.empty()) {
      walk.cost += price;
    } else if (price < problem.no_road_price) {
      step.drive = driven(problem, walk.clock, step.drive);
      walk.cost += step.drive;
    } else {
      walk.cost += price;
    }
    walk.here = node;
  }
  step.arrive = walk.clock + step.drive;
  const double ready = step.arrive + stop.setup;
  const double start = begins(problem, stop, ready);
  step.waited = start - ready;
  if (start > stop.closes) {
    step.late_price = stop.late_price;
    step.late_cost = stop.late_price * (start - stop.closes);
  }
  if (start < stop.promise_opens || start > stop.promise_closes) step.other_cost += stop.promise_price;
  if (problem.has_load && node != problem.end()) {
    for (int i = 0; i < kLoads; ++i) {
      walk.load[i] += stop.load[i];
      if (walk.load[i] > problem.capacity[i] + 1e-9) step.other_cost += problem.overload_price;
    }
  }
  const int rank = ranks[node];
  if (rank != kNone) {
    if (rank != walk.rank + 1) step.moved_cost = problem.moved_price;
    walk.rank = rank;
  }
  if (!stop.is_anywhere) {
    if (stop.group != kNone && stop.group != walk.group) step.split_cost = problem.split_price;
    walk.group = stop.group;
  }
  walk.cost += problem.wait_price * step.waited + step.late_cost + step.moved_cost + step.split_cost + step.other_cost;
  walk.clock = start + stop.service;
}

inline void take_step(const Problem& problem, const int* ranks, Walk& walk, int node) {
  if (problem.is_plain) {
    plain_step(problem, ranks, walk, node);
  } else {
    Step step;
    full_step(problem, ranks, walk, node, step);
  }
}

}  // namespace core
