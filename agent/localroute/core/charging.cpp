#include "charging.hpp"

#include <algorithm>
#include <cmath>

namespace core {
namespace {

constexpr double kHair = 1e-6;       // kWh
constexpr std::size_t kRemembered = 1 << 15;
constexpr int kMostLabels = 2'000, kMostLabelsOnce = 50'000;  // then the best that is known is taken

}  // namespace

Charging::Charging(const Problem& problem) : problem_(problem), energy_(problem.energy) {
  // With one rule for when service begins, being early by a second costs at most the waiting of a second; see exact.cpp.
  lead_price_ = problem.slots.empty() ? problem.wait_price : std::max(1.0, problem.wait_price);
  most_labels_ = kMostLabels;
  if (!energy_.is_counted) return;
  for (const Charger& charger : energy_.chargers) {
    double rate = 0;
    for (std::size_t i = 1; i < charger.curve.size(); ++i)
      rate = std::max(rate, (charger.curve[i].first - charger.curve[i - 1].first) /
                                (charger.curve[i].second - charger.curve[i - 1].second));
    rates_.push_back(rate);
    for (double level : energy_.levels) since_empty_.push_back(charger.since_empty(level));
  }
  // A detour by a charger may take less than a direct leg that is driven faster.
  const auto by_chargers = [&](const std::vector<double>& use) {
    std::vector<double> least = use;
    if (!use.empty())
      for (int a = 0; a < problem.width(); ++a)
        for (int b = 0; b < problem.width(); ++b)
          for (int via = problem.nodes; via < problem.width(); ++via)
            least[problem.leg(a, b)] = std::min(least[problem.leg(a, b)], use[problem.leg(a, via)] + use[problem.leg(via, b)]);
    return least;
  };
  least_use_ = by_chargers(energy_.use);
  least_use_per_kg_ = by_chargers(energy_.use_per_kg);
  remembered_.resize(kRemembered);
  kg_.resize(problem.nodes);
  rest_.resize(problem.nodes);
  steps_.resize(problem.nodes);
  begun_at_.resize(problem.nodes);
  onward_.detours.resize(energy_.chargers.size());
  detours_.resize(problem.nodes * energy_.chargers.size());
}

double Charging::price(const int* order, int count, const int* ranks, double limit) {
  std::uint64_t name = 0;
  for (int place = 0; place < count; ++place) name = (name ^ static_cast<std::uint64_t>(order[place] + 1)) * 0x9E3779B97F4A7C15ULL + (name >> 29);
  Remembered& seen = remembered_[name % remembered_.size()];
  if (seen.order == name && (seen.is_exact || seen.price >= limit)) return seen.price < limit ? seen.price : kInf;
  const double found = looked_for(order, count, ranks, limit);
  seen = {name, found < kInf ? found : limit, found < kInf};
  return found;
}

double Charging::looked_for(const int* order, int count, const int* ranks, double limit) {
  order_ = order;
  count_ = count;
  ranks_ = ranks;
  kg_[0] = problem_.aboard[0];
  for (int place = 0; place < count; ++place) kg_[place + 1] = kg_[place] + problem_.stops[order[place]].load[0];
  Label start;
  start.walk.load = problem_.aboard;
  start.left_with = energy_.charge;
  start.sd = energy_.charge_sd;
  Label home = start;
  while (home.place <= count) {
    begun_at_[home.place] = home.walk.here;
    step(home, &steps_[home.place]);
  }
  if (energy_.reserve - least(home) <= kHair) return home.walk.cost < limit ? home.walk.cost : kInf;
  const double at_best = home.walk.cost - problem_.worth_waiting;
  if (at_best >= limit) return kInf;
  look_ahead();
  start.bound = at_best + least_charging();
  for (const bool may_be_short : {false, true}) {
    if (may_be_short) start.bound = at_best + energy_.short_price;
    if (start.bound >= limit) continue;
    queue_.clear();
    known_.clear();
    trail_.clear();
    best_trail_ = kNone;
    heads_.assign((count_ + 1) * chargers() * energy_.levels.size(), kNone);
    push(start);
    const double found = cheapest(limit, may_be_short);
    if (found < kInf) return found;
  }
  return kInf;
}

double Charging::cheapest(double limit, bool may_be_short) {
  double best = kInf;
  for (int looked_at = 0; looked_at < most_labels_ && !queue_.empty(); ++looked_at) {
    const Label label = pop();
    if (label.bound >= std::min(best, limit)) break;
    Label home = label;
    while (home.place <= count_ && home.walk.cost < limit) step(home);
    const double missing = energy_.reserve - least(home);
    if (home.place > count_ && (missing <= kHair || may_be_short) && home.walk.cost + short_price(missing) < best) {
      best = home.walk.cost + short_price(missing);
      best_trail_ = label.trail;
    }
    if (home.place > count_ && missing <= kHair) continue;
    extend(label, std::min(best, limit), may_be_short);
  }
  return best < limit ? best : kInf;
}

// To the chargers, from where the label is and from each place it gets to.
void Charging::extend(Label label, double limit, bool may_be_short) {
  for (;;) {
    if (label.place >= problem_.frozen) charge(label, limit, may_be_short);
    if (label.place >= count_ || label.walk.cost >= limit) return;
    step(label);
    if (!may_be_short && energy_.reserve - least(label) > kHair) return;
  }
}

void Charging::charge(const Label& from, double limit, bool may_be_short) {
  const int levels = static_cast<int>(energy_.levels.size());
  const Rest& rest = rest_[from.place];
  for (int i = 0; i < chargers(); ++i) {
    const Charger& charger = energy_.chargers[i];
    const int node = problem_.nodes + i;
    const double price = problem_.leg_price(from.walk.here, node);
    if (price >= problem_.no_road_price || was_there(from, i)) continue;
    Label there = from;
    there.use(used_on(from.walk.here, node, kg_[from.place]));
    const double missing = energy_.reserve - least(there);
    if (missing > kHair && !may_be_short) continue;
    const double usual = problem_.leg_time(from.walk.here, node);
    const double drives = problem_.slots.empty() ? usual : driven(problem_, from.walk.clock, usual);
    there.walk.here = node;
    there.walk.clock += drives;
    there.walk.cost += (problem_.slots.empty() ? price : drives) + short_price(missing);
    const double arrives = there.left_with - there.used;
    const double since_empty = charger.since_empty(arrives);
    const double use = used_on(node, rest.target, rest.kg);
    const double enough = energy_.reserve - least(0, 0, rest.used + use, rest.squares + use * use);
    look_on(from.place, node);
    for (int level = may_be_short ? levels - 1 : 0; level < levels; ++level) {
      const double kwh = energy_.levels[level];
      if (kwh <= arrives + kHair) continue;
      const double stands = charger.setup + std::max(0.0, since_empty_[i * levels + level] - since_empty);
      const bool suffices = kwh >= enough - kHair;
      const double clock = there.walk.clock + stands, cost = there.walk.cost + energy_.charge_price * stands;
      const double bound = cost + to_come(clock, kwh, suffices || may_be_short);
      if (bound < limit && is_news(from.place, i * levels + level, clock, cost)) {
        trail_.push_back({from.trail, from.place, i, level});
        Label charged = there;
        charged.walk.clock = clock;
        charged.walk.cost = cost;
        charged.left_with = kwh;
        charged.sd = charged.used = charged.squares = 0;
        charged.bound = bound;
        charged.trail = static_cast<int>(trail_.size()) - 1;
        push(charged);
      }
      if (suffices) break;
    }
  }
}

// On the same way from one stop to the next: nobody charges twice at one place without a stop in between.
bool Charging::was_there(const Label& label, int charger) const {
  for (int at = label.trail; at != kNone && trail_[at].place == label.place; at = trail_[at].before)
    if (trail_[at].charger == charger) return true;
  return false;
}

// What a van that leaves the charger `here` for the stop at `place` has before it, whenever it leaves.
void Charging::look_on(int place, int here) {
  const Rest& rest = rest_[place];
  Onward& on = onward_;
  const bool is_timed = problem_.slots.empty();
  on.is_delay_known = is_timed && !problem_.has_breaks;
  on.place = place;
  on.arrives_after = problem_.leg_time(here, rest.target);
  on.cost = rest.price + rest.late_cost + (is_timed ? problem_.leg_price(here, rest.target) : 0);
  on.needs = rest.least_used + least_used_on(here, rest.target, rest.kg) + energy_.reserve;
  for (int i = 0; i < chargers(); ++i)
    on.detours[i] = std::min(detour_by(here, i, rest.target, rest.kg), place < count_ ? detours_[(place + 1) * chargers() + i] : kInf);
}

// What is to be paid at least from there to the end of the day.
double Charging::to_come(double clock, double kwh, bool suffices) const {
  const Rest& rest = rest_[onward_.place];
  const Stop& end = problem_.stops[problem_.end()];
  const double delay = onward_.is_delay_known ? clock + onward_.arrives_after - rest.arrive : 0;
  const auto home_late = [&](double stands) {
    const double later = onward_.is_delay_known ? std::max(0.0, delay + stands - rest.waited) : 0;
    return problem_.has_breaks ? 0 : end.late_price * std::max(0.0, rest_[count_].arrive + later - end.closes);
  };
  const double cost = onward_.cost + rest.late_price * std::max(0.0, delay - rest.waited);
  if (suffices) return cost + home_late(0);
  // The fastest of the chargers that are still to come is driven to, and nothing is charged faster than there.
  double least = kInf;
  for (int i = 0; i < chargers(); ++i) {
    const double stands = energy_.chargers[i].setup + std::max(0.0, onward_.needs - kwh) / rates_[i];
    const double paid = onward_.detours[i] + energy_.charge_price * stands;
    if (paid < least) least = std::min(least, paid + home_late(stands));
  }
  return cost + least;
}

// What it adds at least to drive by a charger between two places, what it uses more being charged there.
double Charging::detour_by(int from, int charger, int to, double kg) const {
  const int node = problem_.nodes + charger;
  if (from == node || to == node) return 0;
  const double kwh = used_on(from, node, kg) + used_on(node, to, kg) - least_used_on(from, to, kg);
  double cost = energy_.charge_price * kwh / rates_[charger];
  if (problem_.slots.empty())
    cost += std::max(0.0, problem_.leg_price(from, node) + problem_.leg_price(node, to) - problem_.leg_price(from, to));
  return cost;
}

// One rule for when service begins keeps the earlier van the earlier one: all it can do with its lead is wait.
bool Charging::is_news(int place, int level, double clock, double cost) {
  int& head = heads_[place * energy_.chargers.size() * energy_.levels.size() + level];
  for (int index = head; index != kNone; index = known_[index].next) {
    const double lead = clock - known_[index].clock;
    if (lead >= 0 && known_[index].cost + rest_[place].promises + lead_price_ * lead <= cost) return false;
  }
  known_.push_back({clock, cost, head});
  head = static_cast<int>(known_.size()) - 1;
  return true;
}

void Charging::push(const Label& label) {
  queue_.push_back(label);
  std::push_heap(queue_.begin(), queue_.end(), [](const Label& a, const Label& b) { return a.bound > b.bound; });
}

Charging::Label Charging::pop() {
  std::pop_heap(queue_.begin(), queue_.end(), [](const Label& a, const Label& b) { return a.bound > b.bound; });
  const Label label = queue_.back();
  queue_.pop_back();
  return label;
}

void Charging::look_ahead() {
  for (int place = count_; place >= 0; --place) {
    Rest& rest = rest_[place] = place < count_ ? rest_[place + 1] : Rest{};
    const Step& step = steps_[place];
    rest.price += step.moved_cost + step.split_cost;
    rest.waited += step.waited;
    rest.arrive = step.arrive;
    if (place == count_) {
      rest.target = problem_.end();
      rest.kg = kg_[place];
    } else {
      const int node = order_[place];
      const Stop& stop = problem_.stops[node];
      const double stands = energy_.standing[node];
      if (!problem_.has_breaks) rest.late_cost += step.late_cost;
      if (!problem_.has_breaks) rest.late_price += step.late_price;
      rest.used += stands;
      rest.least_used += stands;
      rest.squares += stands * stands;
      rest.promises += stop.promise_price;
      if (!stop.is_anywhere) {
        const double use = used_on(node, rest.target, rest.kg);
        rest.used += use;
        rest.squares += use * use;
        rest.least_used += least_used_on(node, rest.target, rest.kg);
        if (problem_.slots.empty()) rest.price += problem_.leg_price(node, rest.target);
        rest.target = node;
        rest.kg = kg_[place];
      }
    }
    for (int i = 0; i < chargers(); ++i) {
      const double here = place >= problem_.frozen ? detour_by(begun_at_[place], i, rest.target, rest.kg) : kInf;
      const double later = place < count_ ? detours_[(place + 1) * chargers() + i] : kInf;
      detours_[place * chargers() + i] = std::min(here, later);
    }
  }
}

// What charging adds at least to a plan that does not last without.
double Charging::least_charging() const {
  const Rest& all = rest_[0];
  const double missing = all.least_used + least_used_on(0, all.target, all.kg) + energy_.reserve - energy_.charge;
  double least = kInf;
  for (int i = 0; i < chargers(); ++i) {
    const double stands = energy_.chargers[i].setup + std::max(0.0, missing) / rates_[i];
    least = std::min(least, detours_[i] + energy_.charge_price * stands);
  }
  return least;
}

std::vector<Charge> Charging::charges(const int* order, int count, const int* ranks) {
  trail_.clear();
  best_trail_ = kNone;
  most_labels_ = kMostLabelsOnce;
  looked_for(order, count, ranks, kInf);
  most_labels_ = kMostLabels;
  std::vector<Charge> found;
  for (int at = best_trail_; at != kNone; at = trail_[at].before) found.push_back(trail_[at]);
  std::reverse(found.begin(), found.end());
  return found;
}

void Charging::step(Label& label, Step* told) const {
  const int node = label.place < count_ ? order_[label.place] : problem_.end();
  if (!problem_.stops[node].is_anywhere) label.use(used_on(label.walk.here, node, kg_[label.place]));
  if (told)
    full_step(problem_, ranks_, label.walk, node, *told);
  else
    take_step(problem_, ranks_, label.walk, node);
  label.use(energy_.standing[node]);
  ++label.place;
}

double Charging::least(double left_with, double sd, double used, double squares) const {
  const double common = energy_.common * used;
  return left_with - used - energy_.z * std::sqrt(sd * sd + common * common + energy_.own * energy_.own * squares);
}

double Charging::used_on(int from, int to, double kg) const {
  const std::size_t leg = problem_.leg(from, to);
  return energy_.use[leg] + (energy_.use_per_kg.empty() ? 0 : energy_.use_per_kg[leg] * kg);
}

double Charging::least_used_on(int from, int to, double kg) const {
  const std::size_t leg = problem_.leg(from, to);
  return least_use_[leg] + (least_use_per_kg_.empty() ? 0 : least_use_per_kg_[leg] * kg);
}

double Charging::short_price(double kwh) const {
  return kwh > kHair ? energy_.short_price + energy_.short_price_per_kwh * kwh : 0;
}

}  // namespace core
