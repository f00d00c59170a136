// What a bad network does to the frames of one direction, and the text form of it.
#pragma once

#include "base/prng.h"
#include "base/result.h"
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::lossbridge {

// Probabilities are 0 to 1 per frame. The default harms nothing.
struct Impairment {
  double loss = 0;
  double dup = 0;
  double reorder = 0;  // frames that get up to kReorderDelay on top, so that others overtake
  double flip = 0;     // frames that get one random bit inverted
  Duration delay_min;
  Duration delay_max;                      // uniform between the two; unequal ones reorder too
  std::size_t max_frame_bytes = SIZE_MAX;  // longer frames vanish: an MTU black hole
  double rate_mbps = 0;                    // 0: unlimited
  bool down = false;                       // nothing gets through
};

inline constexpr Duration kReorderDelay = Duration::milliseconds(2);

// Sets one property: "loss 0.05", "dup 0.01", "reorder 0.1", "flip 0.001", "delay 100,2000"
// (microseconds), "max-frame 1514", "rate 100" (Mbit/s), "down", "up", "clear" (back to harmless).
// Error: invalid_argument.
[[nodiscard]] Result<void> set_property(Impairment& impairment, std::string_view property,
                                        const std::string& value);

// What chance decides for one frame.
struct Fate {
  struct Copy {
    Duration delay;
    bool reordered = false;  // the delay contains an extra that lets later frames overtake
  };

  bool lost = false;
  std::optional<std::uint64_t> flipped_bit;  // from the first bit of the frame
  std::uint32_t copies = 1;                  // 1 or 2
  Copy copy[2];                              // the first `copies` count
};

// Every call draws the same numbers in the same order, so that the loss of a frame does not depend
// on whether frames are also delayed, and takes them from a stream of its own: the fate of the n-th
// frame of a direction follows from seed, direction, number and impairment alone.
[[nodiscard]] Fate decide_fate(const Impairment& impairment, std::uint64_t seed,
                               std::size_t direction, std::uint64_t number, std::size_t bytes);

}  // namespace aoe::lossbridge
