#include "initiator/payload_limit.h"

#include <algorithm>
#include <array>

namespace aoe::initiator {
namespace {

// MTUs of 9000, 4200 and 2100 and more; 1 is for an MTU below 1078.
constexpr std::array<std::uint32_t, 5> kSteps = {17, 8, 4, 2, 1};

std::uint32_t next_below(std::uint32_t sectors) {
  for (const std::uint32_t step : kSteps) {
    if (step < sectors) {
      return step;
    }
  }
  return sectors;
}

}  // namespace

void PayloadLimit::set_allowed(std::uint32_t sectors) {
  if (sectors == allowed_) {
    return;
  }
  const bool first = sectors_ == 0;
  allowed_ = sectors;
  sectors_ = std::min(first ? kEverywhere : sectors_, sectors);
  trying_ = sectors > sectors_ ? sectors : 0;
  doubted_ = 0;
  retry_ = kRetryMin;
  retry_at_ = {};
}

std::uint32_t PayloadLimit::wanted(Instant now) const {
  if (doubted_ != 0) {
    return doubted_;
  }
  if (trying_ != 0) {
    return trying_;
  }
  return retry_at_ != Instant{} && retry_at_ <= now ? allowed_ : 0;
}

std::optional<Instant> PayloadLimit::next_time() const {
  return retry_at_ == Instant{} ? std::nullopt : std::optional(retry_at_);
}

void PayloadLimit::doubt(std::uint32_t sectors) {
  doubted_ = std::max(doubted_, std::min(sectors, allowed_));
}

void PayloadLimit::rest(Instant now) {
  trying_ = 0;
  retry_at_ = {};
  if (sectors_ < allowed_) {
    retry_at_ = now + retry_;
    retry_ = std::min(retry_ * 2, kRetryMax);
  } else {
    retry_ = kRetryMin;
  }
}

bool PayloadLimit::on_passed(Instant now, std::uint32_t sectors) {
  passed_sectors_ = sectors;
  passed_at_ = now;
  if (sectors >= doubted_) {
    doubted_ = 0;
  }
  sectors = std::min(sectors, allowed_);
  if (sectors <= sectors_) {
    return false;
  }
  sectors_ = sectors;
  rest(now);
  return true;
}

bool PayloadLimit::on_vanished(Instant now, std::uint32_t sectors) {
  if (sectors >= doubted_) {
    doubted_ = 0;
  }
  const bool in_use = sectors <= sectors_;
  if (in_use) {
    const std::uint32_t lower = sectors > kEverywhere ? kEverywhere : next_below(sectors);
    if (lower == sectors_) {
      return false;
    }
    sectors_ = lower;
  }
  const std::uint32_t between = next_below(sectors);
  if (between > sectors_) {
    trying_ = between;
    retry_at_ = {};
  } else {
    rest(now);
  }
  return in_use;
}

void PayloadLimit::on_data(Instant now, std::uint32_t sectors) {
  // A smaller frame must not hide when a big one last passed.
  if (sectors >= passed_sectors_ || now - passed_at_ > Duration::seconds(1)) {
    passed_sectors_ = sectors;
    passed_at_ = now;
  }
}

}  // namespace aoe::initiator
