// Replies on their way out: buffers, the queue of frames to send, and the bound on cheap answers.
#pragma once

#include "base/buffer_pool.h"
#include "base/port_info.h"
#include "base/prng.h"
#include "base/ring_queue.h"
#include "protocol/aoe_frame.h"
#include "target/target_stats.h"
#include "target/target_types.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace aoe::target {

// Owns the outgoing side of a core. Frames are built from zero, padded to 60 bytes, and go to
// unicast addresses only (advertisements and probes apart). Single thread.
class ReplyQueue {
 public:
  ReplyQueue(const TargetLimits& limits, BufferPool& pool, TargetStats& stats);

  // Ports as the core knows them; an unknown port has link_up == false.
  [[nodiscard]] const PortInfo& port(PortId port) const { return ports_[port.value]; }

  // An MTU beyond what the buffers hold counts as what they hold: nothing is advertised that could
  // not be answered.
  void set_port(PortId port, const PortInfo& info);

  [[nodiscard]] std::size_t port_count() const { return ports_.size(); }

  // Whether allocate() can succeed now: what is paced waits for a buffer instead of being lost.
  [[nodiscard]] bool has_buffers() const { return pool_.available() != 0; }

  [[nodiscard]] bool is_own_mac(const MacAddress& mac) const;

  // A buffer for a frame of at most `frame_bytes`, its first bytes zero up to that length, or an
  // empty handle if none is left or the port cannot carry it.
  [[nodiscard]] PacketBuffer allocate(PortId port, std::size_t frame_bytes);

  // The same without zeroing, for who writes every byte.
  [[nodiscard]] PacketBuffer allocate_unwritten(PortId port, std::size_t frame_bytes);

  // A buffer of any content, for what is copied; an empty handle unless so many others are left.
  [[nodiscard]] PacketBuffer allocate_spare(std::size_t left) {
    return pool_.available() > left ? pool_.allocate() : PacketBuffer();
  }

  // Spends a token for an answer without disk data; false (and counted) when there is none left.
  [[nodiscard]] bool spend_token(Instant now);

  // Cuts the frame to `frame_bytes` (at least 60; no longer than it was allocated) and queues it;
  // drops and counts it when the port cannot carry it any more. `frame` is empty afterwards.
  void send(PortId port, PacketBuffer&& frame, std::size_t frame_bytes);

  // An AoE error reply: header and zeros. Rate limited: an empty handle without token or buffer.
  [[nodiscard]] PacketBuffer make_error(Instant now, PortId port,
                                        const protocol::FrameHeader& request, DeviceAddress address,
                                        protocol::AoeError error);
  // Makes and sends one; without token or buffer nothing happens.
  void send_error(Instant now, PortId port, const protocol::FrameHeader& request,
                  DeviceAddress address, protocol::AoeError error);

  [[nodiscard]] std::size_t poll(std::span<TxFrame> out) { return queue_.pop_to(out); }

  [[nodiscard]] bool has_frames() const { return !queue_.empty(); }

  // Gives up the answers to ATA requests that wait to be sent, and returns how many. What was
  // queued for everybody stays: nobody asks for it again.
  std::size_t drop_ata_answers();

 private:
  BufferPool& pool_;
  TargetStats& stats_;
  RingQueue<TxFrame> queue_;
  std::array<PortInfo, 32> ports_{};
  std::size_t ports_known_ = 0;  // those behind were never set
  std::uint64_t tokens_per_second_;
  std::int64_t token_cost_ns_;
  std::int64_t token_credit_ns_;
  std::int64_t token_credit_max_ns_;
  Instant tokens_at_;
};

}  // namespace aoe::target
