// A small random change, whatever it costs, that local search then repairs: the only way out of a local optimum.
#pragma once

#include <utility>
#include <vector>

#include "moves.hpp"
#include "random.hpp"

namespace core {

class Shake {
 public:
  Shake(const Problem& problem, const Neighbours& neighbours);

  // Changes the route and has `moves` look at the stops beside what changed.
  void change(Route& route, Moves& moves, Random& dice);

 private:
  void swap_blocks(Route& route, Random& dice);
  void scatter(Route& route, Random& dice);
  void choose(Route& route, Random& dice);
  int best_place(const Route& route, int node, int from) const;

  const Problem& problem_;
  const Neighbours& neighbours_;
  std::vector<std::pair<int, int>> optional_;  // stops that may be left out; with the drop-off of a pair, or kNone
  std::vector<int> touched_, order_;
  Route spare_;
};

}  // namespace core
