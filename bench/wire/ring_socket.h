// The quickest way to move AoE frames through a packet socket that was found: a TPACKET_V2 receive
// ring, sendmmsg, no queueing discipline. Nothing else: no links that go, no MTU that changes.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "os/fd.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace aoe::bench {

class RingSocket {
 public:
  static constexpr std::size_t kBatchFrames = 64;

  [[nodiscard]] static Result<std::unique_ptr<RingSocket>> open(const std::string& interface,
                                                                std::size_t ring_bytes);
  RingSocket(const RingSocket&) = delete;
  RingSocket& operator=(const RingSocket&) = delete;
  ~RingSocket();

  // The next received frame, empty when there is none. Valid until drop().
  [[nodiscard]] ByteSpan peek();
  // Gives the frame that peek() returned back to the kernel.
  void drop();

  // Memory for the next frame to send, or empty while a batch is full.
  [[nodiscard]] ByteSpan next_out();
  // Sends the first `size` bytes of it with the next flush().
  void push(std::size_t size);
  // Sends what was pushed; returns how many frames the kernel refused.
  std::size_t flush();

  // Until a frame waits or the time is over; -1 waits for ever.
  void wait(int timeout_ms) const;

  [[nodiscard]] std::size_t frame_bytes_max() const { return frame_bytes_max_; }

  // The address of the interface.
  [[nodiscard]] const std::array<std::byte, 6>& mac() const { return mac_; }

 private:
  RingSocket(os::Fd socket, std::size_t frame_bytes_max);

  os::Fd socket_;
  std::size_t frame_bytes_max_;
  std::array<std::byte, 6> mac_{};
  std::byte* ring_ = nullptr;
  std::size_t slot_bytes_ = 0;
  std::size_t slot_count_ = 0;
  std::size_t next_ = 0;
  std::vector<std::byte> out_;
  std::size_t out_count_ = 0;
  std::array<mmsghdr, kBatchFrames> messages_{};
  std::array<iovec, kBatchFrames> pieces_{};
};

}  // namespace aoe::bench
