// What Python sees: a problem that is filled stop by stop, and a search that can be stopped from another thread.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/function.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "charging.hpp"
#include "route.hpp"
#include "search.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

std::vector<double> doubles(const nb::bytes& raw) {
  std::vector<double> values(raw.size() / sizeof(double));
  std::memcpy(values.data(), raw.c_str(), values.size() * sizeof(double));
  return values;
}

class Day {
 public:
  // A leg without a road is NaN in `time`.
  Day(int nodes, const nb::bytes& time, double no_road_s, double no_road_price) {
    problem_.nodes = nodes;
    problem_.time = doubles(time);
    problem_.price = problem_.time;
    problem_.no_road_price = no_road_price;
    for (std::size_t leg = 0; leg < problem_.time.size(); ++leg) {
      if (!std::isnan(problem_.time[leg])) continue;
      problem_.time[leg] = no_road_s;
      problem_.price[leg] = no_road_price;
    }
    problem_.stops.emplace_back();  // the van's place
  }

  // The next stop, by node; the end of the day is the last.
  void add_stop(double setup_s, double service_s, const std::vector<std::pair<double, double>>& windows, double late_price,
                bool is_anywhere, int group, int rank, std::optional<std::pair<double, double>> promise, double promise_price,
                std::array<double, core::kLoads> load, int pickup, int drop, int locked_at, bool is_last,
                std::optional<double> skip_price) {
    core::Stop stop;
    stop.setup = setup_s;
    stop.service = service_s;
    if (!windows.empty()) {
      stop.opens = windows.front().first;
      stop.closes = windows.back().second;
    }
    if (windows.size() > 1) {
      stop.has_gaps = true;
      stop.first_window = static_cast<int>(problem_.windows.size());
      stop.windows = static_cast<int>(windows.size());
      for (const auto& [opens, closes] : windows) problem_.windows.push_back({opens, closes});
    }
    stop.late_price = late_price;
    stop.is_anywhere = is_anywhere;
    stop.group = group;
    stop.rank = rank;
    if (promise) {
      stop.promise_opens = promise->first;
      stop.promise_closes = promise->second;
      stop.promise_price = promise_price;
    }
    stop.load = load;
    stop.pickup = pickup;
    stop.drop = drop;
    stop.locked_at = locked_at;
    stop.is_last = is_last;
    if (skip_price) stop.skip_price = *skip_price;
    problem_.stops.push_back(stop);
  }

  void set_prices(double wait, double moved, double overload, double split) {
    problem_.wait_price = wait;
    problem_.moved_price = moved;
    problem_.overload_price = overload;
    problem_.split_price = split;
  }
  void set_slots(const std::vector<std::pair<double, double>>& slots) {
    problem_.slots.clear();
    for (const auto& [from, factor] : slots) problem_.slots.push_back({from, factor});
  }
  void set_load(std::array<double, core::kLoads> aboard, std::array<double, core::kLoads> capacity) {
    problem_.aboard = aboard;
    problem_.capacity = capacity;
  }
  void set_frozen(int count) { problem_.frozen = count; }
  // Where this is not called, nobody looks at the van's charge.
  void set_energy(double charge, double charge_sd, double reserve, double common, double own, double z, double charge_price,
                  double short_price, double short_price_per_kwh, const std::vector<double>& levels, const nb::bytes& use,
                  const nb::bytes& use_per_kg, const std::vector<double>& standing) {
    core::Energy& energy = problem_.energy;
    energy.is_counted = true;
    energy.charge = charge;
    energy.charge_sd = charge_sd;
    energy.reserve = reserve;
    energy.common = common;
    energy.own = own;
    energy.z = z;
    energy.charge_price = charge_price;
    energy.short_price = short_price;
    energy.short_price_per_kwh = short_price_per_kwh;
    energy.levels = levels;
    energy.use = doubles(use);
    energy.use_per_kg = doubles(use_per_kg);
    energy.standing = standing;
  }
  // The next charger; their nodes follow the end of the day.
  void add_charger(double setup_s, const std::vector<std::pair<double, double>>& curve) {
    problem_.energy.chargers.push_back({setup_s, curve});
  }

  core::Found improve(const std::vector<int>& start, double limit_s, std::int64_t iterations, std::uint64_t seed,
                      bool may_be_exact, std::optional<std::function<void(const std::vector<int>&, double)>> on_better) {
    problem_.prepare();
    core::Settings settings;
    settings.limit_s = limit_s;
    settings.iterations = iterations;
    settings.seed = seed;
    settings.may_be_exact = may_be_exact;
    if (!(limit_s >= 0)) throw std::invalid_argument("the limit is not a number of seconds");
    if (iterations < 0) throw std::invalid_argument("the number of iterations is negative");
    std::function<void(const std::vector<int>&, double)> say;
    if (on_better)
      say = [&on_better](const std::vector<int>& order, double cost) {
        nb::gil_scoped_acquire gil;
        (*on_better)(order, cost);
      };
    nb::gil_scoped_release release;
    return core::search(problem_, start, settings, stop_, say);
  }
  // The charging stops that cost least: place in the order, charger, level.
  std::vector<std::tuple<int, int, int>> charges(const std::vector<int>& order) {
    problem_.prepare();
    problem_.require(order);
    core::Route route(problem_);
    route.set(order);
    core::Charging charging(problem_);
    std::vector<std::tuple<int, int, int>> found;
    for (const core::Charge& charge : charging.charges(order.data(), static_cast<int>(order.size()), route.ranks()))
      found.emplace_back(charge.place, charge.charger, charge.level);
    return found;
  }
  void stop() { stop_.store(true); }

 private:
  core::Problem problem_;
  std::atomic<bool> stop_{false};
};

}  // namespace

NB_MODULE(_core, module) {
  nb::class_<core::Found>(module, "Found")
      .def_ro("order", &core::Found::order)
      .def_ro("cost", &core::Found::cost)
      .def_ro("iterations", &core::Found::iterations)
      .def_ro("priced", &core::Found::priced)
      .def_ro("seconds", &core::Found::seconds)
      .def_ro("is_exact", &core::Found::is_exact);
  nb::class_<Day>(module, "Day")
      .def(nb::init<int, nb::bytes, double, double>(), "nodes"_a, "time_s"_a, nb::kw_only(), "no_road_s"_a, "no_road_price"_a)
      .def("add_stop", &Day::add_stop, nb::kw_only(), "setup_s"_a = 0.0, "service_s"_a = 0.0,
           "windows"_a = std::vector<std::pair<double, double>>{}, "late_price"_a = 0.0, "is_anywhere"_a = false,
           "group"_a = core::kNone, "rank"_a = core::kNone, "promise"_a = nb::none(), "promise_price"_a = 0.0,
           "load"_a = std::array<double, core::kLoads>{}, "pickup"_a = core::kNone, "drop"_a = core::kNone,
           "locked_at"_a = core::kNone, "is_last"_a = false, "skip_price"_a = nb::none())
      .def("set_prices", &Day::set_prices, nb::kw_only(), "wait"_a, "moved"_a, "overload"_a, "split"_a)
      .def("set_slots", &Day::set_slots, "slots"_a)
      .def("set_load", &Day::set_load, "aboard"_a, "capacity"_a)
      .def("set_frozen", &Day::set_frozen, "count"_a)
      .def("set_energy", &Day::set_energy, nb::kw_only(), "charge"_a, "charge_sd"_a, "reserve"_a, "common"_a, "own"_a, "z"_a,
           "charge_price"_a, "short_price"_a, "short_price_per_kwh"_a, "levels"_a, "use"_a, "use_per_kg"_a, "standing"_a)
      .def("add_charger", &Day::add_charger, nb::kw_only(), "setup_s"_a, "curve"_a)
      .def("improve", &Day::improve, "start"_a, nb::kw_only(), "limit_s"_a, "iterations"_a = 0, "seed"_a = 1,
           "may_be_exact"_a = true, "on_better"_a = nb::none())
      .def("charges", &Day::charges, "order"_a)
      .def("stop", &Day::stop);
}
