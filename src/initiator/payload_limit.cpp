#include "initiator/payload_limit.h"

#include <algorithm>
#include <array>

namespace aoe::initiator {
namespace {

constexpr std::array<std::uint32_t, 5> kSteps = {17, 8, 4, 2, 1};

// 2 * 512 + 36 bytes fit an MTU of 1500.
constexpr std::uint32_t kEverywhere = 2;

std::uint32_t next_below(std::uint32_t sectors) {
  for (const std::uint32_t step : kSteps) {
    if (step < sectors) {
      return step;
    }
  }
  return sectors;
}

std::uint32_t next_above(std::uint32_t sectors, std::uint32_t allowed) {
  std::uint32_t above = allowed;
  for (const std::uint32_t step : kSteps) {
    if (step > sectors && step < above) {
      above = step;
    }
  }
  return above;
}

}  // namespace

void PayloadLimit::set_allowed(std::uint32_t sectors) {
  if (sectors != allowed_) {
    *this = {};
    allowed_ = sectors;
    sectors_ = sectors;
  }
}

bool PayloadLimit::step_down(Instant now) {
  const std::uint32_t lower =
      trying_ || sectors_ <= kEverywhere ? next_below(sectors_) : kEverywhere;
  if (lower == sectors_ || sectors_ == 0) {
    return false;
  }
  if (trying_) {
    rest_ = std::min(rest_ * 2, kRestMax);
  }
  trying_ = false;
  sectors_ = lower;
  raise_at_ = now + rest_;
  return true;
}

void PayloadLimit::on_answer(Instant now, std::uint64_t sectors) {
  if (trying_ && sectors >= sectors_) {
    trying_ = false;
    rest_ = kRestMin;
  }
  if (raise_at_ == Instant{} || now < raise_at_) {
    return;
  }
  sectors_ = next_above(sectors_, allowed_);
  trying_ = true;
  raise_at_ = sectors_ == allowed_ ? Instant{} : now + rest_;
}

}  // namespace aoe::initiator
