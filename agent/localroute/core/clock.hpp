// When to end: the time, or somebody's wish. Asked for often, so the clock itself is read once in a few times.
#pragma once

#include <atomic>
#include <chrono>

namespace core {

class Clock {
 public:
  using Monotonic = std::chrono::steady_clock;

  Clock(double limit_s, const std::atomic<bool>& stop)
      : began_(Monotonic::now()), limit_s_(limit_s), stop_(stop) {}

  double seconds() const { return std::chrono::duration<double>(Monotonic::now() - began_).count(); }
  double limit_s() const { return limit_s_; }
  bool is_up() const {
    if (!is_up_) is_up_ = stop_.load(std::memory_order_relaxed) || seconds() >= limit_s_;
    return is_up_;
  }

 private:
  Monotonic::time_point began_;
  double limit_s_;
  const std::atomic<bool>& stop_;
  mutable bool is_up_ = false;
};

}  // namespace core
