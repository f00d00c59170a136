// Keeps what a network can cause from filling the log.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <optional>

namespace aoe::compat::solaris {

// So many entries a period, whoever causes them.
class LogBudget {
 public:
  struct Limits {
    std::uint32_t entries_max = 20;
    Duration period = Duration::seconds(10);
  };

  explicit LogBudget(Limits limits) : limits_(limits) {}

  // nullopt: say nothing. Otherwise say it, and that so many were left out before.
  [[nodiscard]] std::optional<std::uint64_t> admit(Instant now);

 private:
  Limits limits_;
  std::optional<Instant> period_end_;
  std::uint32_t admitted_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace aoe::compat::solaris
