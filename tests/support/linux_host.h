// Tags as the Linux aoe driver makes them (newtag() in aoecmd.c).
#pragma once

#include "base/ids.h"
#include "base/time.h"

#include <cstdint>

namespace aoe::test {

// One device of one host; every transmission takes the next tag.
class LinuxHost {
 public:
  explicit LinuxHost(std::uint32_t hz, std::uint64_t jiffies_at_zero = 0xFFFB6C20)
      : hz_(hz), jiffies_at_zero_(jiffies_at_zero) {}

  [[nodiscard]] Tag next(Instant sent) {
    counter_ = (counter_ + 1) & 0x7FFFU;
    const auto microseconds = static_cast<std::uint64_t>(sent.ns / 1000);
    const std::uint64_t jiffies = jiffies_at_zero_ + microseconds * hz_ / 1'000'000;
    return Tag{counter_ << 16U | static_cast<std::uint32_t>(jiffies & 0xFFFFU)};
  }

  void set_hz(std::uint32_t hz) { hz_ = hz; }

 private:
  std::uint32_t hz_;
  std::uint64_t jiffies_at_zero_;
  std::uint32_t counter_ = 0;
};

}  // namespace aoe::test
