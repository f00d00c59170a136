// A packet port with a plain target behind it that answers in the call of transmit().
#pragma once

#include "base/buffer_pool.h"
#include "net/packet_port.h"
#include "os/event_fd.h"
#include "unit/initiator/core_world.h"

#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace aoe::client {

class TargetPort final : public net::PacketPort {
 public:
  using Answerer = std::function<std::optional<initiator::Bytes>(const initiator::Sent&)>;

  TargetPort(std::string name, Answerer answerer)
      : name_(std::move(name)),
        answerer_(std::move(answerer)),
        wake_(*os::EventFd::open()),
        pool_({.count = 256, .frame_bytes = 9014}) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] const PortInfo& info() const override { return info_; }

  [[nodiscard]] net::PortStats stats() const override { return stats_; }

  [[nodiscard]] std::size_t receive(std::span<PacketBuffer> out) override {
    wake_.drain();
    std::size_t count = 0;
    while (count < out.size() && !waiting_.empty()) {
      PacketBuffer buffer = pool_.allocate();
      buffer.resize(waiting_.front().size());
      copy_bytes(buffer.bytes(), waiting_.front());
      waiting_.pop_front();
      out[count++] = std::move(buffer);
      ++stats_.rx_frames;
    }
    return count;
  }

  void transmit(std::span<PacketBuffer> frames) override {
    for (PacketBuffer& frame : frames) {
      initiator::Sent sent{PortId{0}, {frame.bytes().begin(), frame.bytes().end()}, {}};
      sent.header = *protocol::parse_header(sent.frame);
      frame.reset();
      ++stats_.tx_frames;
      if (auto reply = answerer_(sent)) {
        waiting_.push_back(*std::move(reply));
        wake_.signal();
      }
    }
  }

  [[nodiscard]] int wait_fd() const override { return wake_.fd(); }

  bool refresh() override { return false; }

 private:
  std::string name_;
  Answerer answerer_;
  PortInfo info_{.mac = initiator::kHostMac, .mtu_bytes = 1500, .link_up = true};
  net::PortStats stats_;
  os::EventFd wake_;
  BufferPool pool_;
  std::deque<initiator::Bytes> waiting_;
};

}  // namespace aoe::client
