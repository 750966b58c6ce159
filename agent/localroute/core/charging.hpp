// What an order costs with the charging stops that cost least. ../charging.py tells how, and does the same once for an
// order that is given; here it is done for every order that the search thinks worth it.
#pragma once

#include <cstdint>
#include <vector>

#include "walk.hpp"

namespace core {

// On the way to the stop at `place` the van charges to a level.
struct Charge {
  int before;  // the charge before this one, in the trail of a search
  int place, charger, level;
};

class Charging {
 public:
  explicit Charging(const Problem& problem);

  // The cost of driving `count` stops and to the end of the day, charging stops included. At least `limit` or more: kInf.
  double price(const int* order, int count, const int* ranks, double limit);
  // And which stops these are.
  std::vector<Charge> charges(const int* order, int count, const int* ranks);

 private:
  // A van about to leave for the stop at `place`. `squares`: of the parts of `used`, whose errors are independent.
  struct Label {
    Walk walk;
    int place = 0;
    double left_with = 0, sd = 0, used = 0, squares = 0;
    double bound = 0;
    int trail = kNone;

    void use(double kwh) {
      used += kwh;
      squares += kwh * kwh;
    }
  };
  // What comes from a place on, behind the leg to `target`; what is paid is a bound from below. `arrive` and all about
  // lateness are of the plan without a charger: charging makes nobody earlier, and who is late then is later by the
  // delay that no waiting takes up.
  struct Rest {
    int target = kNone;
    double kg = 0, used = 0, squares = 0, price = 0, promises = 0, least_used = 0;
    double arrive = 0, late_cost = 0, late_price = 0, waited = 0;
  };
  // An order that was priced: a search meets the same ones again and again. Not exact: at least so much.
  struct Remembered {
    std::uint64_t order = 0;
    double price = 0;
    bool is_exact = false;
  };
  struct Onward {
    int place = 0;
    bool is_delay_known = false;
    double arrives_after = 0, cost = 0, needs = 0;
    std::vector<double> detours;  // by charger: what it adds at least to drive by there
  };
  struct Known {
    double clock, cost;
    int next;
  };

  double looked_for(const int* order, int count, const int* ranks, double limit);
  void look_ahead();
  double cheapest(double limit, bool may_be_short);
  void extend(Label label, double limit, bool may_be_short);
  void charge(const Label& from, double limit, bool may_be_short);
  bool is_news(int place, int level, double clock, double cost);
  void push(const Label& label);
  Label pop();
  void step(Label& label, Step* told = nullptr) const;
  double least(double left_with, double sd, double used, double squares) const;
  double least(const Label& label) const { return least(label.left_with, label.sd, label.used, label.squares); }
  bool was_there(const Label& label, int charger) const;
  void look_on(int place, int here);
  double to_come(double clock, double kwh, bool suffices) const;
  double least_charging() const;
  double detour_by(int from, int charger, int to, double kg) const;
  double used_on(int from, int to, double kg) const;
  double least_used_on(int from, int to, double kg) const;
  int chargers() const { return static_cast<int>(energy_.chargers.size()); }
  double short_price(double kwh) const;

  const Problem& problem_;
  const Energy& energy_;
  double lead_price_;
  int most_labels_ = 0;
  std::vector<double> rates_;                         // by charger: the most it charges in a second
  std::vector<double> since_empty_;                   // by charger and level: seconds of charging
  std::vector<double> least_use_, least_use_per_kg_;  // by leg, chargers on the way included
  const int* order_ = nullptr;
  const int* ranks_ = nullptr;
  int count_ = 0;
  std::vector<double> kg_;
  std::vector<Remembered> remembered_;
  std::vector<Rest> rest_;
  Onward onward_;
  std::vector<Step> steps_;      // of the plan without a charger
  std::vector<int> begun_at_;    // and where each is begun
  std::vector<double> detours_;  // by place and charger: what it adds at least to drive by there, from this place on
  std::vector<Charge> trail_;
  int best_trail_ = kNone;
  std::vector<Label> queue_;
  std::vector<Known> known_;
  std::vector<int> heads_;  // of known_, by place, charger and level
};

}  // namespace core
