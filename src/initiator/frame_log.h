// Frames that were sent again, answers that nobody waited for, and requests that were given up:
// what the Linux driver tells in /dev/etherd/err, and what monitors dump.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/ring_queue.h"
#include "base/time.h"
#include "protocol/aoe_ata.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace aoe::initiator {

struct FrameNote {
  enum class Kind : std::uint8_t {
    retransmission,
    unexpected_answer,
    given_up,  // a request has timed out whose frame had been sent
  };
  Kind kind = Kind::retransmission;
  Instant at{};
  DeviceAddress address{};
  Tag tag{};                    // all transmissions of a frame have one
  MacAddress source{};          // of the frame
  MacAddress destination{};     // likewise
  std::uint32_t in_flight = 0;  // of a retransmission: frames out to that target, with this one
  // Of one that was given up: how often it was sent, over which port last, and how it began.
  std::uint32_t transmissions = 0;
  PortId port{};
  std::array<std::byte, protocol::kAtaHeaderBytes> frame{};
};

// Until somebody asks. What comes while it is full is left out, as the driver does.
class FrameLog {
 public:
  void note(const FrameNote& note) {
    if (!notes_.full()) {
      notes_.push(note);
    }
  }

  [[nodiscard]] std::size_t poll(std::span<FrameNote> out) { return notes_.pop_to(out); }

 private:
  static constexpr std::size_t kNotesMax = 100;  // NMSG of aoechr.c

  RingQueue<FrameNote> notes_{kNotesMax};
};

}  // namespace aoe::initiator
