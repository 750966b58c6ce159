// Local search: for a stop, the best of all small changes that put it beside one of its neighbours; until none pays.
#pragma once

#include <cstdint>
#include <vector>

#include "neighbours.hpp"
#include "route.hpp"

namespace core {

class Clock;

class Moves {
 public:
  Moves(const Problem& problem, const Neighbours& neighbours, const Clock& clock);

  // Stops to look at next; those added twice are looked at once.
  void look_at(int node);
  void look_at_all(const Route& route);
  // Changes the route until no change near the stops to look at pays, or the time is up.
  void improve(Route& route);
  std::int64_t priced() const { return priced_; }

 private:
  void look_around(const Route& route, int node);
  void move_segments(const Route& route, int node);
  void join(const Route& route, int before, int after);
  void move_pair(const Route& route, int node);
  void consider(const Route& route, const Move& move);

  const Problem& problem_;
  const Neighbours& neighbours_;
  const Clock& clock_;
  std::vector<int> queue_, touched_;
  std::size_t head_ = 0, tail_ = 0, waiting_ = 0;
  std::vector<char> is_waiting_;
  Move best_;
  double best_price_ = 0;
  std::int64_t priced_ = 0;
};

// A difference smaller than the rounding of the sums is none.
inline double tolerance(double cost) { return 1e-7 + 1e-10 * (cost < 0 ? -cost : cost); }

// The plan after `moved` (first..last) was put behind `place`, which lies outside it (-1: at the head).
Move put_behind(int first, int last, int place, bool is_reversed);
Move exchange(int first_a, int last_a, int first_b, int last_b);
Move reverse(int first, int last);

}  // namespace core
