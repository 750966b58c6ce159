#include "route.hpp"

#include <algorithm>
#include <cmath>

namespace core {

Route::Route(const Problem& problem)
    : problem_(problem),
      counts_charge_(problem.energy.is_counted),
      charging_(problem),
      tried_(problem.nodes, 0),
      tour_(problem.nodes, 0),
      place_(problem.nodes, kNone),
      ranks_(problem.nodes, kNone),
      scratch_(problem.nodes, 0),
      places_(problem.nodes + 1),
      steps_(problem.nodes + 1),
      group_seen_(problem.nodes + 1, 0) {}

void Route::count_charge(bool is_counted) {
  counts_charge_ = is_counted && problem_.energy.is_counted;
  forget_cost();
}

double Route::cost() const {
  if (std::isnan(cost_)) cost_ = base_ + charging_.price(tour_.data(), count_, ranks_.data(), kInf);
  return cost_;
}

void Route::copy(const Route& other) {
  count_ = other.count_;
  last_from_ = other.last_from_;
  cost_ = other.cost_;
  base_ = other.base_;
  std::copy(other.tour_.begin(), other.tour_.begin() + count_ + 1, tour_.begin());
  std::copy(other.place_.begin(), other.place_.end(), place_.begin());
  std::copy(other.ranks_.begin(), other.ranks_.end(), ranks_.begin());
  std::copy(other.places_.begin(), other.places_.begin() + count_ + 2, places_.begin());
}

void Route::set(const int* order, int count) {
  std::copy(order, order + count, tour_.begin());
  count_ = count;
  tour_[count] = problem_.end();
  std::fill(place_.begin(), place_.end(), kNone);
  for (int at = 0; at <= count; ++at) place_[tour_[at]] = at;
  // What depends on which stops are in the plan, but not on their order: the price of those left out, ranks among
  // those that are in, and that each group is entered once for nothing.
  base_ = 0;
  std::fill(scratch_.begin(), scratch_.end(), kNone);
  std::fill(group_seen_.begin(), group_seen_.end(), 0);
  for (int node = 1; node < problem_.end(); ++node) {
    const Stop& stop = problem_.stops[node];
    if (place_[node] == kNone) {
      base_ += stop.skip_price;
      continue;
    }
    if (stop.rank != kNone) scratch_[stop.rank] = node;
    if (stop.group != kNone && !stop.is_anywhere && !group_seen_[stop.group]) {
      group_seen_[stop.group] = 1;
      base_ -= problem_.split_price;
    }
  }
  std::fill(ranks_.begin(), ranks_.end(), kNone);
  int rank = 0;
  for (int node : scratch_)
    if (node != kNone) ranks_[node] = rank++;
  last_from_ = count_;
  if (problem_.has_last)
    while (last_from_ > 0 && problem_.stops[tour_[last_from_ - 1]].is_last) --last_from_;
  renew(0);
}

void Route::renew(int from) {
  Walk walk;
  if (from == 0) {
    walk.load = problem_.aboard;
    places_[0] = Place{};
    places_[0].before = walk;
  } else {
    walk = places_[from].before;
  }
  for (int at = from; at <= count_; ++at) {
    const int node = tour_[at];
    const Stop& stop = problem_.stops[node];
    const Place& now = places_[at];
    Place& next = places_[at + 1];
    const int here = walk.here;
    full_step(problem_, ranks_.data(), walk, node, steps_[at]);
    const Step& step = steps_[at];
    places_[at].arrive = step.arrive;
    next.before = walk;
    const bool moves = !stop.is_anywhere;
    next.price = now.price + (moves ? problem_.leg_price(here, node) : 0);
    next.time = now.time + (moves ? problem_.leg_time(here, node) : 0);
    next.back_price = now.back_price + (moves ? problem_.leg_price(node, here) : 0);
    next.back_time = now.back_time + (moves ? problem_.leg_time(node, here) : 0);
    next.work = now.work + stop.setup + stop.service;
    next.late_cost = now.late_cost + step.late_cost;
    next.late_price = now.late_price + step.late_price;
    next.waited = now.waited + step.waited;
    next.locks = now.locks + (stop.locked_at != kNone);
    next.breaks = now.breaks + stop.is_anywhere;
    next.pairs = now.pairs + (stop.pickup != kNone || stop.drop != kNone);
    next.gaps = now.gaps + stop.has_gaps;
  }
  forget_cost();
  // From the back: of the first stop with a rank, and the first that is no break, the neighbour may change.
  double fixed = 0, of_first_rank = 0, of_first_group = 0;
  for (int at = count_; at >= 0; --at) {
    const int node = tour_[at];
    if (ranks_[node] != kNone) {
      fixed += of_first_rank;
      of_first_rank = steps_[at].moved_cost;
    }
    if (!problem_.stops[node].is_anywhere) {
      fixed += of_first_group;
      of_first_group = steps_[at].split_cost;
    }
    places_[at].fixed_rest = fixed;
  }
}

bool Route::keeps_rules(const Move& move) const {
  if (move.first < problem_.frozen || move.after > count_) return false;
  if (problem_.has_last && move.first < last_from_ && move.after > last_from_) return false;
  if (problem_.has_locks && places_[move.after].locks != places_[move.first].locks) {
    int at = move.first;
    for (int i = 0; i < move.count; ++i) {
      const Piece& piece = move.pieces[i];
      if (places_[piece.to + 1].locks != places_[piece.from].locks && (piece.from != at || (piece.is_reversed && piece.from != piece.to)))
        return false;
      at += piece.to - piece.from + 1;
    }
  }
  if (problem_.has_pairs && places_[move.after].pairs - places_[move.first].pairs > 1) {
    // Of each pair within the change, the pickup's piece comes first; within one piece, its direction decides.
    for (int i = 0; i < move.count; ++i) {
      const Piece& piece = move.pieces[i];
      if (places_[piece.to + 1].pairs == places_[piece.from].pairs) continue;
      for (int at = piece.from; at <= piece.to; ++at) {
        const int pickup = problem_.stops[tour_[at]].pickup;
        if (pickup == kNone) continue;
        const int before = place_[pickup];
        if (before < move.first) continue;
        if (before >= piece.from && before <= piece.to) {
          if (piece.is_reversed) return false;
          continue;
        }
        bool is_ahead = false;
        for (int j = 0; j < i && !is_ahead; ++j) is_ahead = before >= move.pieces[j].from && before <= move.pieces[j].to;
        if (!is_ahead) return false;
      }
    }
  }
  return true;
}

// What the lateness within from..to costs at least when `from` is arrived at by `delay` later than in the plan.
double Route::least_late(int from, int to, double delay) const {
  const Place& first = places_[from];
  const Place& last = places_[to + 1];
  if (delay < 0 && last.gaps != first.gaps) return 0;  // earlier by a little may be earlier by a whole gap
  const double cost = last.late_cost - first.late_cost, price = last.late_price - first.late_price;
  if (delay <= 0) return std::max(0.0, cost + price * delay);
  return cost + price * std::max(0.0, delay - (last.waited - first.waited));
}

// What is left to pay when `place` is arrived at by `delay` later than in the plan (at least; or exactly, if so told).
double Route::least_rest(int place, double delay, bool is_exact) const {
  const Place& now = places_[place];
  const Place& home = places_[count_ + 1];
  double rest = now.fixed_rest;
  if (!problem_.slots.empty()) return rest;
  rest += home.price - places_[place + 1].price + least_late(place, count_, delay);
  if (is_exact && (delay >= 0 || home.gaps == now.gaps))
    rest += problem_.wait_price * std::max(0.0, home.waited - now.waited - std::max(0.0, delay));
  return rest;
}

// A bound from below in constant time.
double Route::least(const Move& move) const {
  const Place& start = places_[move.first];
  double cost = start.before.cost, clock = start.before.clock;
  int here = start.before.here;
  for (int i = 0; i < move.count; ++i) {
    const Piece& piece = move.pieces[i];
    const Place &head = places_[piece.from], &head_next = places_[piece.from + 1], &tail = places_[piece.to + 1];
    const int entry = tour_[piece.is_reversed ? piece.to : piece.from];
    const double leg = problem_.leg_time(here, entry);
    cost += problem_.leg_price(here, entry);
    if (piece.is_reversed) {
      cost += tail.back_price - head_next.back_price;
      clock += tail.back_time - head_next.back_time;
      here = tour_[piece.from];
    } else {
      cost += tail.price - head_next.price + least_late(piece.from, piece.to, clock + leg - head.arrive);
      clock += tail.time - head_next.time;
      here = tour_[piece.to];
    }
    clock += leg + tail.work - head.work;
  }
  const int next = tour_[move.after];
  cost += problem_.leg_price(here, next);
  clock += problem_.leg_time(here, next);
  return cost + least_rest(move.after, clock - places_[move.after].arrive, false);
}

double Route::price(const Move& move, double limit) const {
  if (!counts_charge_) return driven_price(move, limit);
  if (driven_price(move, limit + problem_.worth_waiting) == kInf) return kInf;
  int at = move.first;
  std::copy(begin(), begin() + move.first, tried_.begin());
  for (int i = 0; i < move.count; ++i) {
    const Piece& piece = move.pieces[i];
    for (int step = 0; step <= piece.to - piece.from; ++step)
      tried_[at++] = tour_[piece.is_reversed ? piece.to - step : piece.from + step];
  }
  std::copy(begin() + move.after, end(), tried_.begin() + at);
  return base_ + charging_.price(tried_.data(), count_, ranks_.data(), limit - base_);
}

// What the plan would cost if the battery were without end.
double Route::driven_price(const Move& move, double limit) const {
  // Sums of many numbers: what is smaller than their rounding is no difference.
  const double enough = limit - base_;
  if (problem_.slots.empty() && (!problem_.has_breaks || places_[move.after + 1].breaks == places_[move.first].breaks) &&
      least(move) >= enough)
    return kInf;
  Walk walk = places_[move.first].before;
  for (int i = 0; i < move.count; ++i) {
    const Piece& piece = move.pieces[i];
    if (piece.is_reversed) {
      for (int at = piece.to; at >= piece.from; --at) take_step(problem_, ranks_.data(), walk, tour_[at]);
    } else {
      for (int at = piece.from; at <= piece.to; ++at) take_step(problem_, ranks_.data(), walk, tour_[at]);
    }
    if (walk.cost >= enough) return kInf;
  }
  for (int at = move.after; at <= count_; ++at) {
    take_step(problem_, ranks_.data(), walk, tour_[at]);
    const Walk& old = places_[at + 1].before;
    if (at == count_) break;
    if (walk.here != old.here) continue;  // a break, taken elsewhere than before
    const double delay = walk.clock - old.clock;
    if (delay == 0 && walk.rank == old.rank && walk.group == old.group) {
      walk.cost += places_[count_ + 1].before.cost - old.cost;
      break;
    }
    // The next stop is left for at `delay`, and so arrived at; a break is arrived at where the van stands.
    double bound = walk.cost;
    if (problem_.slots.empty())
      bound += places_[at + 2].price - places_[at + 1].price;
    if (bound + least_rest(at + 1, delay, true) >= enough) return kInf;
  }
  const double cost = walk.cost + base_;
  return cost < limit ? cost : kInf;
}

void Route::apply(const Move& move, std::vector<int>* touched) {
  int at = move.first;
  for (int i = 0; i < move.count; ++i) {
    const Piece& piece = move.pieces[i];
    if (touched) {
      touched->push_back(tour_[piece.from]);
      if (piece.to != piece.from) touched->push_back(tour_[piece.to]);
    }
    if (piece.is_reversed)
      for (int from = piece.to; from >= piece.from; --from) scratch_[at++] = tour_[from];
    else
      for (int from = piece.from; from <= piece.to; ++from) scratch_[at++] = tour_[from];
  }
  if (touched) {
    if (move.first > 0) touched->push_back(tour_[move.first - 1]);
    if (move.after < count_) touched->push_back(tour_[move.after]);
  }
  for (int place = move.first; place < move.after; ++place) {
    tour_[place] = scratch_[place];
    place_[tour_[place]] = place;
  }
  renew(move.first);
}

}  // namespace core
