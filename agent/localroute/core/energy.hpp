// The van's battery in numbers: what legs and stops take, where it may be charged. Kilowatt hours and seconds.
#pragma once

#include <utility>
#include <vector>

namespace core {

struct Charger {
  double setup = 0;
  std::vector<std::pair<double, double>> curve;  // kWh in the battery, seconds since it was empty

  // Seconds of charging from empty.
  double since_empty(double kwh) const {
    std::size_t at = 1;
    while (at + 1 < curve.size() && curve[at].first <= kwh) ++at;
    const auto [low, low_s] = curve[at - 1];
    const auto [high, high_s] = curve[at];
    const double share = (kwh - low) / (high - low);
    return low_s + (share < 0 ? 0 : share > 1 ? 1 : share) * (high_s - low_s);
  }
};

struct Energy {
  bool is_counted = false;  // otherwise nobody looks at the charge, and nothing else in here is read
  double charge = 0, charge_sd = 0, reserve = 0;
  double common = 0, own = 0, z = 0;  // shares by which what is used is off, for all legs together and for each; see ../battery.py
  double charge_price = 1, short_price = 0, short_price_per_kwh = 0;
  std::vector<double> levels;     // to charge to, ascending
  std::vector<double> use;        // by leg, in the matrix of Problem::time
  std::vector<double> use_per_kg; // the same; empty: the load makes no difference
  std::vector<double> standing;   // by node
  std::vector<Charger> chargers;  // their nodes follow the end of the day
};

}  // namespace core
