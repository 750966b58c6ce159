// The plan in force, and what may be known about a changed plan without driving through it again.
//
// A `Move` replaces the places first .. after-1 by pieces of the plan, some of them reversed; what stands from `after` on
// keeps its order. `price` answers what the plan would cost after a move, exactly, or kInf as soon as it is certain that
// it costs `limit` or more. Three things make it quick (README.md tells them at length):
//   1. before anything is driven: sums over the pieces bound the cost from below in constant time;
//   2. while driving: cost only grows, and the same bound holds for the rest of the plan;
//   3. behind the change: where the clock shows what it showed before, the rest is known.
// Where the van's charge is looked at, all this is a bound from below (charging makes nobody earlier), and a change that
// passes is driven once more with the charging stops that cost least.
#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "charging.hpp"
#include "walk.hpp"

namespace core {

struct Piece {
  int from, to;  // places, both inclusive
  bool is_reversed = false;
};

struct Move {
  static constexpr int kMostPieces = 8;
  int first = 0, after = 0, count = 0;
  std::array<Piece, kMostPieces> pieces;

  void add(int from, int to, bool is_reversed = false) {
    if (from <= to) pieces[count++] = {from, to, is_reversed};
  }
};

class Route {
 public:
  explicit Route(const Problem& problem);

  // Takes over a whole order, which keeps the rules. The only function, with `apply`, that changes the plan.
  void set(const std::vector<int>& order) { set(order.data(), static_cast<int>(order.size())); }
  void set(const int* order, int count);
  void copy(const Route& other);

  int size() const { return count_; }
  double cost() const;
  double driven_cost() const { return places_[count_ + 1].before.cost + base_; }  // if the battery were without end
  // Whether the charge is looked at, where the problem has one; at first it is.
  void count_charge(bool is_counted);
  double base() const { return base_; }  // of the cost, what does not depend on the order
  const int* ranks() const { return ranks_.data(); }  // by node, among the stops of this plan
  int at(int place) const { return tour_[place]; }
  int place_of(int node) const { return place_[node]; }  // kNone: it is left out
  int last_from() const { return last_from_; }           // where the stops that were put off begin
  const int* begin() const { return tour_.data(); }
  const int* end() const { return tour_.data() + count_; }

  bool keeps_rules(const Move& move) const;
  double price(const Move& move, double limit) const;
  // Ends with the places first .. after-1 rearranged. Writes each stop beside a changed neighbour to `touched`, if any.
  void apply(const Move& move, std::vector<int>* touched = nullptr);

 private:
  // Sums over all places before this one, and the state in which it is driven to.
  struct Place {
    Walk before;
    double arrive = 0;
    double price = 0, time = 0, back_price = 0, back_time = 0;  // legs; `back`: of the plan driven backwards
    double work = 0;                                            // setup and service
    double late_cost = 0, late_price = 0, waited = 0;
    double fixed_rest = 0;  // not a sum: moved stops, splits behind here whose neighbours cannot change
    int locks = 0, breaks = 0, pairs = 0, gaps = 0;
  };

  void renew(int from);
  double driven_price(const Move& move, double limit) const;
  void forget_cost() { cost_ = counts_charge_ ? std::nan("") : driven_cost(); }
  double least(const Move& move) const;
  double least_rest(int place, double delay, bool is_exact) const;
  double least_late(int from, int to, double delay) const;

  const Problem& problem_;
  int count_ = 0;
  int last_from_ = 0;
  double base_ = 0;
  bool counts_charge_;
  mutable double cost_ = 0;  // NaN until it is asked for, where the charge is looked at
  mutable Charging charging_;
  mutable std::vector<int> tried_;
  std::vector<int> tour_, place_, ranks_, scratch_;
  std::vector<Place> places_;
  std::vector<Step> steps_;
  std::vector<char> group_seen_;
};

}  // namespace core
