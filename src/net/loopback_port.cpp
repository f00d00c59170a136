#include "net/loopback_port.h"

#include <utility>

namespace aoe::net {

Result<LoopbackPort::Pair> LoopbackPort::create_pair(const Options& first, const Options& second) {
  AOE_TRY_ASSIGN(os::EventFd first_wake, os::EventFd::open());
  AOE_TRY_ASSIGN(os::EventFd second_wake, os::EventFd::open());
  Pair pair{std::unique_ptr<LoopbackPort>(new LoopbackPort(first, std::move(first_wake))),
            std::unique_ptr<LoopbackPort>(new LoopbackPort(second, std::move(second_wake)))};
  pair.first->peer_ = pair.second.get();
  pair.second->peer_ = pair.first.get();
  return pair;
}

LoopbackPort::LoopbackPort(const Options& options, os::EventFd wake)
    : options_(options),
      info_(options.info),
      wake_(std::move(wake)),
      pool_({.count = options.queue_frames, .frame_bytes = options.frame_bytes_max}),
      queue_(options.queue_frames) {}

LoopbackPort::~LoopbackPort() {
  if (peer_ != nullptr) {
    peer_->peer_ = nullptr;
  }
}

std::size_t LoopbackPort::receive(std::span<PacketBuffer> out) {
  std::size_t count = 0;
  while (count < out.size() && !queue_.empty()) {
    out[count] = queue_.pop();
    ++stats_.rx_frames;
    stats_.rx_bytes += out[count].size();
    ++count;
  }
  if (queue_.empty()) {
    wake_.drain();
  }
  return count;
}

void LoopbackPort::transmit(std::span<PacketBuffer> frames) {
  for (PacketBuffer& frame : frames) {
    if (peer_ == nullptr || !options_.info.link_up || !peer_->options_.info.link_up) {
      ++stats_.tx_dropped;
    } else if (frame.size() > options_.info.mtu_bytes + kEthernetHeaderBytes) {
      ++stats_.tx_oversize;
    } else {
      ++stats_.tx_frames;
      stats_.tx_bytes += frame.size();
      peer_->deliver(std::as_const(frame).bytes());
    }
    frame.reset();
  }
}

void LoopbackPort::deliver(ConstByteSpan frame) {
  if (frame.size() > options_.info.mtu_bytes + kEthernetHeaderBytes ||
      frame.size() > pool_.frame_bytes()) {
    ++stats_.rx_truncated;
    return;
  }
  PacketBuffer copy = pool_.allocate();
  if (!copy) {
    ++stats_.rx_dropped;
    return;
  }
  copy.resize(frame.size());
  copy_bytes(copy.bytes(), frame);
  queue_.push(std::move(copy));
  wake_.signal();
}

bool LoopbackPort::refresh() {
  if (info_ == options_.info) {
    return false;
  }
  if (info_.link_up != options_.info.link_up) {
    ++stats_.link_changes;
  }
  info_ = options_.info;
  return true;
}

}  // namespace aoe::net
