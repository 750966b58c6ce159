#include "moves.hpp"

#include <algorithm>

#include "clock.hpp"

namespace core {
namespace {
constexpr int kLongest = 3;           // stops of a segment that is moved; a group moves whole
constexpr int kLongestExchanged = 2;  // stops of each of two segments that change places
}

Move put_behind(int first, int last, int place, bool is_reversed) {
  Move move;
  if (place < first) {
    move.first = place + 1;
    move.after = last + 1;
    move.add(first, last, is_reversed);
    move.add(place + 1, first - 1);
  } else {
    move.first = first;
    move.after = place + 1;
    move.add(last + 1, place);
    move.add(first, last, is_reversed);
  }
  return move;
}

Move exchange(int first_a, int last_a, int first_b, int last_b) {
  if (first_a > first_b) {
    std::swap(first_a, first_b);
    std::swap(last_a, last_b);
  }
  Move move;
  move.first = first_a;
  move.after = last_b + 1;
  move.add(first_b, last_b);
  move.add(last_a + 1, first_b - 1);
  move.add(first_a, last_a);
  return move;
}

Move reverse(int first, int last) {
  Move move;
  move.first = first;
  move.after = last + 1;
  move.add(first, last, true);
  return move;
}

Moves::Moves(const Problem& problem, const Neighbours& neighbours, const Clock& clock)
    : problem_(problem), neighbours_(neighbours), clock_(clock), queue_(problem.nodes, 0), is_waiting_(problem.nodes, 0) {
  touched_.reserve(2 * Move::kMostPieces + 2);
}

void Moves::look_at(int node) {
  if (is_waiting_[node] || node == problem_.end()) return;
  is_waiting_[node] = 1;
  queue_[tail_] = node;
  tail_ = (tail_ + 1) % queue_.size();
  ++waiting_;
}

void Moves::look_at_all(const Route& route) {
  for (int node : route) look_at(node);
}

void Moves::improve(Route& route) {
  while (waiting_ > 0 && !clock_.is_up()) {
    const int node = queue_[head_];
    head_ = (head_ + 1) % queue_.size();
    --waiting_;
    is_waiting_[node] = 0;
    while (route.place_of(node) >= problem_.frozen) {
      best_.count = 0;
      best_price_ = route.cost() - tolerance(route.cost());
      look_around(route, node);
      if (best_.count == 0) break;
      touched_.clear();
      route.apply(best_, &touched_);
      for (int other : touched_) look_at(other);
    }
  }
}

void Moves::consider(const Route& route, const Move& move) {
  if (problem_.energy.is_counted && clock_.is_up()) return;  // with charging stops the changes for one stop may take long
  if (!route.keeps_rules(move)) return;
  ++priced_;
  const double price = route.price(move, best_price_);
  if (price < best_price_) {
    best_price_ = price;
    best_ = move;
  }
}

void Moves::look_around(const Route& route, int node) {
  for (int i = 0; i < neighbours_.count(); ++i) {
    join(route, neighbours_.before(node)[i], node);
    join(route, node, neighbours_.after(node)[i]);
  }
  if (problem_.stops[node].pickup != kNone || problem_.stops[node].drop != kNone) move_pair(route, node);
}

// All small changes after which `after` follows `before` at once.
void Moves::join(const Route& route, int before, int after) {
  const int b = before == 0 ? -1 : route.place_of(before);
  const int a = route.place_of(after);
  const int end = route.size();
  if ((before != 0 && b == kNone) || a == kNone || a == b + 1) return;
  const int frozen = problem_.frozen;
  if (a < frozen || b + 1 < frozen) return;
  // 1. The stops from `after` on go behind `before`; the stops up to `before` go ahead of `after`.
  for (int length = 1; length <= kLongest; ++length) {
    const int last = a + length - 1, first = b - length + 1;
    if (last < end && !(b >= a && b <= last)) consider(route, put_behind(a, last, b, false));
    if (first >= frozen && !(a >= first && a <= b)) consider(route, put_behind(first, b, a - 1, false));
    if (length == 1) continue;
    // The same, turned round: `after` enters from its other side.
    if (a - length + 1 >= frozen && !(b >= a - length + 1 && b <= a)) consider(route, put_behind(a - length + 1, a, b, true));
    if (b >= frozen && b + length - 1 < end && !(a >= b && a <= b + length - 1)) consider(route, put_behind(b, b + length - 1, a - 1, true));
  }
  // A whole group goes where its first stop goes.
  if (const int group = problem_.stops[after].group; group != kNone) {
    int last = a;
    while (last + 1 < end && problem_.stops[route.at(last + 1)].group == group) ++last;
    int first = a;
    while (first > frozen && problem_.stops[route.at(first - 1)].group == group) --first;
    if (last - a >= kLongest && !(b >= a && b <= last)) consider(route, put_behind(a, last, b, false));
    if (a - first >= kLongest && !(b >= first && b <= a)) consider(route, put_behind(first, a, b, true));
    if (first < a && last > a && !(b >= first && b <= last)) consider(route, put_behind(first, last, b, false));
  }
  // 2. What lies between them is driven the other way round.
  if (b < a) consider(route, reverse(b + 1, a));
  // 3. `after` changes places with what follows `before`, or `before` with what precedes `after`.
  for (int mine = 1; mine <= kLongestExchanged; ++mine) {
    for (int theirs = 1; theirs <= kLongestExchanged; ++theirs) {
      const int last_a = a + mine - 1, first_b = b + 1, last_b = b + theirs;
      if (last_a < end && last_b < end && (last_a < first_b || last_b < a)) consider(route, exchange(a, last_a, first_b, last_b));
      const int first_c = b - mine + 1, first_d = a - theirs;
      if (first_c >= frozen && first_d >= frozen && (b < first_d || a - 1 < first_c)) consider(route, exchange(first_c, b, first_d, a - 1));
    }
  }
}

// A pickup and its drop-off go to new places together, each beside one of its own neighbours.
void Moves::move_pair(const Route& route, int node) {
  const int pickup = problem_.stops[node].pickup != kNone ? problem_.stops[node].pickup : node;
  const int drop = problem_.stops[pickup].drop;
  if (drop == kNone) return;
  const int p = route.place_of(pickup), d = route.place_of(drop);
  if (p == kNone || d == kNone || p < problem_.frozen || d < p) return;
  const int count = neighbours_.count();
  for (int i = 0; i < 2 * count; ++i) {
    const int beside = i < count ? neighbours_.before(pickup)[i] : neighbours_.after(pickup)[i - count];
    if (beside == drop) continue;
    const int place = beside == 0 ? -1 : route.place_of(beside);
    if (beside != 0 && place == kNone) continue;
    const int behind = i < count ? place : place - 1;  // the pickup goes behind this place
    if (behind + 1 < problem_.frozen) continue;
    for (int j = -1; j < 2 * count; ++j) {
      int then = behind;  // j == -1: the drop-off follows its pickup
      if (j >= 0) {
        const int near = j < count ? neighbours_.before(drop)[j] : neighbours_.after(drop)[j - count];
        if (near == pickup || (near != 0 && route.place_of(near) == kNone)) continue;
        then = (near == 0 ? -1 : route.place_of(near)) - (j < count ? 0 : 1);
        if (then < behind) continue;
      }
      // Walk over the changed places once: both are lifted out, and put down behind `behind` and `then`.
      Move move;
      move.first = std::min(p, behind + 1);
      move.after = std::max(d, then) + 1;
      if (move.after > route.size()) continue;
      int from = move.first;
      const auto flush = [&](int to) {
        move.add(from, to);
        from = to + 1;
      };
      const auto put_down = [&](int at) {
        if (behind == at) move.add(p, p);
        if (then == at) move.add(d, d);
      };
      if (behind < move.first) put_down(move.first - 1);
      int cuts[4] = {p, d, behind, then};
      std::sort(cuts, cuts + 4);
      for (int k = 0; k < 4; ++k) {
        const int at = cuts[k];
        if (at < move.first || (k > 0 && cuts[k - 1] == at)) continue;
        const bool is_lifted = at == p || at == d;
        flush(is_lifted ? at - 1 : at);
        if (is_lifted) from = at + 1;
        put_down(at);
      }
      flush(move.after - 1);
      consider(route, move);
    }
  }
}

}  // namespace core
