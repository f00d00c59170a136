// Which check-ins count as answers to `aoectl probe`.
#pragma once

#include "base/time.h"
#include "compat/solaris/target_address.h"

#include <cstddef>
#include <set>
#include <vector>

namespace aoe::compat::solaris {

// A probe is open for five seconds, and each target answers it once: the daemon asks a target that
// has just been enabled for more, and those answers must not enable it again when somebody has
// disabled it since.
class OpenProbes {
 public:
  // Targets answer at once; vblade on a busy host has been seen to take a second.
  static constexpr Duration kOpenFor = Duration::seconds(5);
  // Forged check-ins must not fill the memory; what comes beyond these answers nothing.
  static constexpr std::size_t kAnsweredMax = 4096;

  void open(std::vector<AddressPattern> patterns, Instant now);

  // Whether a check-in of `target` is the first since a probe that asked for it.
  [[nodiscard]] bool is_answered_by(const TargetAddress& target, Instant now);

 private:
  struct Probe {
    std::vector<AddressPattern> patterns;
    Instant end;
    std::set<TargetAddress> answered;
  };

  void close_ended(Instant now);
  [[nodiscard]] static bool take_answer(Probe& probe, const TargetAddress& target);

  std::vector<Probe> probes_;
};

}  // namespace aoe::compat::solaris
