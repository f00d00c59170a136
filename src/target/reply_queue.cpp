#include "target/reply_queue.h"

#include "base/check.h"

#include <algorithm>
#include <utility>

namespace aoe::target {

using protocol::FrameHeader;

ReplyQueue::ReplyQueue(const TargetLimits& limits, BufferPool& pool, TargetStats& stats)
    : pool_(pool),
      stats_(stats),
      // Every queued frame holds a buffer of the pool: this bound cannot be exceeded.
      queue_(pool.count()),
      tokens_per_second_(limits.light_replies_per_second),
      token_cost_ns_(1'000'000'000 / static_cast<std::int64_t>(tokens_per_second_)),
      token_credit_ns_(token_cost_ns_ * limits.light_replies_burst),
      token_credit_max_ns_(token_credit_ns_) {}

void ReplyQueue::set_port(PortId port, const PortInfo& info) {
  ports_[port.value] = info;
  ports_known_ = std::max(ports_known_, std::size_t{port.value} + 1);
  ports_[port.value].mtu_bytes =
      std::min(info.mtu_bytes, pool_.frame_bytes() - protocol::kEthernetHeaderBytes);
}

bool ReplyQueue::is_own_mac(const MacAddress& mac) const {
  const auto known = std::span(ports_).first(ports_known_);
  return std::any_of(known.begin(), known.end(), [&mac](const PortInfo& port) {
    return port.mac == mac && !port.mac.is_zero();
  });
}

PacketBuffer ReplyQueue::allocate(PortId port, std::size_t frame_bytes) {
  PacketBuffer buffer = allocate_unwritten(port, frame_bytes);
  fill_zero(buffer.bytes());
  return buffer;
}

PacketBuffer ReplyQueue::allocate_unwritten(PortId port, std::size_t frame_bytes) {
  const PortInfo& info = ports_[port.value];
  const std::size_t room = std::max(frame_bytes, protocol::kFrameBytesMin);
  if (!info.link_up || room > info.mtu_bytes + protocol::kEthernetHeaderBytes ||
      room > pool_.frame_bytes()) {
    ++stats_.drops.link_down;
    return {};
  }
  PacketBuffer buffer = pool_.allocate();
  if (!buffer) {
    ++stats_.drops.queue_full;
    return buffer;
  }
  buffer.resize(room);
  return buffer;
}

bool ReplyQueue::spend_token(Instant now) {
  if (now > tokens_at_) {
    // Saturating: after a long pause the bucket is simply full.
    const std::int64_t elapsed_ns = std::min((now - tokens_at_).ns, token_credit_max_ns_);
    token_credit_ns_ = std::min(token_credit_ns_ + elapsed_ns, token_credit_max_ns_);
    tokens_at_ = now;
  }
  if (token_credit_ns_ < token_cost_ns_) {
    ++stats_.drops.rate_limited;
    return false;
  }
  token_credit_ns_ -= token_cost_ns_;
  return true;
}

void ReplyQueue::send(PortId port, PacketBuffer&& frame, std::size_t frame_bytes) {
  // Growing a frame here would send what an earlier one left behind its end.
  AOE_CHECK(frame && frame_bytes <= frame.size(), "a frame to send was allocated whole");
  frame.resize(std::max(frame_bytes, protocol::kFrameBytesMin));
  // The port may have changed while the store worked.
  const PortInfo& info = ports_[port.value];
  if (!info.link_up || frame.size() > info.mtu_bytes + protocol::kEthernetHeaderBytes) {
    ++stats_.drops.link_down;
    frame.reset();
    return;
  }
  ++stats_.replies;
  queue_.push({port, std::move(frame)});
}

PacketBuffer ReplyQueue::make_error(Instant now, PortId port, const FrameHeader& request,
                                    DeviceAddress address, protocol::AoeError error) {
  if (!spend_token(now)) {
    return {};
  }
  PacketBuffer frame = allocate(port, protocol::kFrameBytesMin);
  if (!frame) {
    return {};
  }
  FrameHeader header = protocol::reply_header(request, ports_[port.value].mac, address);
  header.is_error = true;
  header.error = static_cast<std::uint8_t>(error);
  protocol::build_header(frame.bytes(), header);
  ++stats_.aoe_errors;
  return frame;
}

void ReplyQueue::send_error(Instant now, PortId port, const FrameHeader& request,
                            DeviceAddress address, protocol::AoeError error) {
  if (PacketBuffer frame = make_error(now, port, request, address, error)) {
    send(port, std::move(frame), protocol::kFrameBytesMin);
  }
}

std::size_t ReplyQueue::drop_ata_answers() {
  std::size_t dropped = 0;
  for (std::size_t left = queue_.size(); left > 0; --left) {
    TxFrame next = queue_.pop();
    const auto header = protocol::parse_header(std::as_const(next.frame).bytes());
    if (header && header->command == static_cast<std::uint8_t>(protocol::Command::ata)) {
      ++dropped;
    } else {
      queue_.push(std::move(next));
    }
  }
  return dropped;
}

}  // namespace aoe::target
