// How long the requests that are under way may take when the next process of the daemon goes on.
#pragma once

#include "base/time.h"

#include <cstdint>

namespace aoe::initiatord {

// Where the kernel asks again what was not answered, a few seconds are enough: the rest is for the
// next process. Where it cannot, a request that was not answered would hang for ever, so all of
// them are waited for, and ended with an error when they take longer than any disk is waited for.
// Pure.
class HandOver {
 public:
  static constexpr Duration kTimeToAskAgain = Duration::seconds(5);
  // As long as a request may take unless its device says otherwise (config.h).
  static constexpr Duration kTimeToDrain = Duration::seconds(180);

  enum class Kernel : std::uint8_t { asks_again, forgets };
  enum class Step : std::uint8_t {
    wait,
    fail_requests,  // once, with an error for whoever waits
    end,
  };

  HandOver(Instant now, Kernel kernel) : begun_(now), kernel_(kernel) {}

  // `is_busy`: whether requests are under way.
  [[nodiscard]] Step look(Instant now, bool is_busy);

 private:
  Instant begun_;
  Kernel kernel_;
  bool has_failed_ = false;
};

}  // namespace aoe::initiatord
