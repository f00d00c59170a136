// Recognises the tags of the Linux aoe driver, and the time in them.
//
// The driver gives every transmission a new tag, retransmissions too (newtag() in aoecmd.c, seen in
// Linux 7.2): bit 31 is 0, bits 30..16 count the transmissions of the device, bits 15..0 are the
// low bits of the host's jiffies. So of two writes the tags tell which was sent later.
#pragma once

#include "base/ids.h"
#include "base/time.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace aoe::target {

// Whether `a` was sent after `b`, both by one host within half a turn of its jiffies (32 s at
// HZ 1000).
[[nodiscard]] bool is_sent_after(Tag a, Tag b);

// Learns from the frames of one source whether the low half of their tags is such a clock: which
// HZ it has and how far it is from ours. It is believed after several frames spread over a second
// agree to within the jitter of a network, and no more from the first frame on that contradicts.
//
// No other scheme that is known passes: aoeping and aoecfg set bit 31, iPXE and WinAoE leave the
// counter or the clock half constant, random tags agree with nothing.
class TagClock {
 public:
  enum class Sight : std::uint8_t {
    ignored,      // bit 31 is set: a tool on the same host
    unknown,      // not believed (yet)
    fits,         // believed, and the frame was sent within the last frame life
    contradicts,  // was believed until this frame
  };

  // What another clock needs to know to go on from there; hz 0: nothing was learned.
  struct Learned {
    std::uint32_t hz = 0;
    std::uint16_t offset = 0;  // jiffies less ours, of one start of this machine
  };

  [[nodiscard]] Learned learned() const { return {.hz = hz_, .offset = offset_}; }

  // A clock that believes what another one has learned. A frequency that no host has: a new clock.
  [[nodiscard]] static TagClock believing(Instant now, const Learned& learned);

  // A frame with this tag arrived. `frame_life` is at most 10 s.
  [[nodiscard]] Sight see(Instant now, Tag tag, Duration frame_life);

  // The source did what the Linux driver never does.
  void reject() { *this = TagClock{}; }

  [[nodiscard]] bool is_known() const { return hz_ != 0; }

  // The host's timer frequency; 0 when the clock is not known.
  [[nodiscard]] std::uint32_t hz() const { return hz_; }

  // How many frames of those that count have agreed so far.
  [[nodiscard]] std::uint32_t agreed() const { return agreed_; }

  // Whether both clocks are known and seem to be one: two ports of one host.
  [[nodiscard]] bool is_same_host(const TagClock& other) const;

 private:
  static constexpr std::array<std::uint32_t, 4> kFrequencies{100, 250, 300, 1000};

  // While learning, for one frequency: how far the offsets of the frames lie apart.
  struct Candidate {
    bool is_alive = false;
    std::uint16_t first = 0;
    std::int16_t lowest = 0;  // relative to first
    std::int16_t highest = 0;
  };

  void begin(Instant now, Tag tag);
  void learn(Instant now, Tag tag);
  void believe_the_last_candidate();
  [[nodiscard]] bool fits(Instant now, Tag tag, Duration frame_life);

  std::uint32_t hz_ = 0;
  std::uint16_t offset_ = 0;  // jiffies less ours, of the quickest frame
  // In this window: the quickest frame relative to offset_, and how much offset_ was raised.
  Instant window_begin_;
  std::int32_t window_highest_ = 0;
  std::int32_t window_raised_ = 0;

  std::array<Candidate, kFrequencies.size()> candidates_{};
  std::uint32_t agreed_ = 0;
  std::uint32_t counter_changes_ = 0;
  Instant first_seen_;
  Instant counted_at_;
  Instant last_seen_;
  Tag last_tag_;
};

}  // namespace aoe::target
