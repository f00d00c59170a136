// AoEde's way to freeze and thaw: sequences of two signals.
#pragma once

#include <csignal>
#include <cstdint>

namespace aoe::targetd {

// USR1 USR2 freezes, USR1 USR1 USR2 thaws (AoEde's README, "Exported image freeze").
class FreezeSignals {
 public:
  enum class Meaning : std::uint8_t {
    nothing_yet,
    freeze,
    thaw,
    nonsense,  // a sequence that means nothing has ended
  };

  // Any thread, but one at a time. number: SIGUSR1 or SIGUSR2.
  [[nodiscard]] Meaning handle(int number) {
    if (number == SIGUSR1) {
      count_ += count_ < 3 ? 1U : 0U;
      return Meaning::nothing_yet;
    }
    const unsigned count = count_;
    count_ = 0;
    switch (count) {
      case 1:
        return Meaning::freeze;
      case 2:
        return Meaning::thaw;
      default:
        return Meaning::nonsense;
    }
  }

 private:
  unsigned count_ = 0;  // USR1 since the last USR2
};

}  // namespace aoe::targetd
