#include "compat/solaris/log_budget.h"

#include <utility>

namespace aoe::compat::solaris {

std::optional<std::uint64_t> LogBudget::admit(Instant now) {
  if (!period_end_ || now >= *period_end_) {
    period_end_ = now + limits_.period;
    admitted_ = 0;
  }
  if (admitted_ >= limits_.entries_max) {
    ++left_out_;
    return std::nullopt;
  }
  ++admitted_;
  return std::exchange(left_out_, 0);
}

}  // namespace aoe::compat::solaris
