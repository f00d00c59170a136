#include "target/service_rate.h"

#include <algorithm>

namespace aoe::target {
namespace {

constexpr Duration kPeriod = Duration::milliseconds(500);
constexpr Duration kProbeAgain = Duration::seconds(10);
constexpr std::uint32_t kProbeWindow = 4;
constexpr std::uint32_t kSamples = 8;
constexpr std::uint64_t kEnough = 8;  // to tell a rate from

}  // namespace

void ServiceRate::contended(Instant now) {
  if (!is_probing_ && (latency_ == kNever || now - probed_ >= kProbeAgain)) {
    is_probing_ = true;
    is_drained_ = false;
    samples_ = 0;
    probe_least_ = kNever;
  }
}

void ServiceRate::ended(Instant now, Instant begun, std::uint32_t left) {
  if (now - period_begin_ >= kPeriod) {
    next_period(now);
  }
  const Duration took = now - begun;
  ++count_;
  least_ = std::min(least_, took);
  if (!is_probing_) {
    return;
  }
  if (!is_drained_) {
    is_drained_ = left <= kProbeWindow;
    drained_ = now;
  } else if (begun >= drained_) {
    probe_least_ = std::min(probe_least_, took);
    if (++samples_ == kSamples) {
      latency_ = probe_least_;
      probed_ = now;
      is_probing_ = false;
    }
  }
}

std::uint32_t ServiceRate::window(std::uint32_t limit) const {
  if (is_probing_) {
    return std::min(kProbeWindow, limit);
  }
  if (latency_ == kNever || latency_ < kInstant || per_second_ == 0) {
    return limit;
  }
  const double at_once = static_cast<double>(per_second_) * static_cast<double>(latency_.ns) * 1e-9;
  const double wanted = std::max(2 * at_once, static_cast<double>(kWindowMin));
  return wanted < limit ? static_cast<std::uint32_t>(wanted) : limit;
}

std::uint32_t ServiceRate::served_within(Duration time, std::uint32_t limit) const {
  if (std::min(least_, least_before_) == kNever || std::min(least_, least_before_) < time) {
    return limit;
  }
  const double served = static_cast<double>(per_second_) * static_cast<double>(time.ns) * 1e-9;
  const double wanted = std::max(served, static_cast<double>(kWindowMin));
  return wanted < limit ? static_cast<std::uint32_t>(wanted) : limit;
}

void ServiceRate::next_period(Instant now) {
  const Duration lasted = now - period_begin_;
  if (lasted >= kPeriod * 8) {
    per_second_ = 0;  // it was idle, and what is known is old
  } else if (count_ >= kEnough && !is_probing_) {
    const auto rate = static_cast<std::uint64_t>(static_cast<double>(count_) * 1e9 /
                                                 static_cast<double>(lasted.ns));
    // Falls slowly: initiators that ask for less do not make the store slower.
    per_second_ = std::max(rate, per_second_ - per_second_ / 8);
  } else if (count_ < kEnough && lasted < kPeriod * 8) {
    return;  // a slow store: the period goes on
  }
  least_before_ = least_;
  least_ = kNever;
  count_ = 0;
  period_begin_ = now;
}

}  // namespace aoe::target
