// A port without an interface: what stands where a port was taken away.
#pragma once

#include "net/packet_port.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace aoe::net {

// Down for good. Its owner keeps the port's number, and so whatever refers to it, without asking
// everywhere whether there is a port.
class ClosedPort final : public PacketPort {
 public:
  explicit ClosedPort(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] const PortInfo& info() const override { return info_; }

  [[nodiscard]] PortStats stats() const override { return stats_; }

  [[nodiscard]] std::size_t receive(std::span<PacketBuffer> /*out*/) override { return 0; }

  void transmit(std::span<PacketBuffer> frames) override {
    for (PacketBuffer& frame : frames) {
      frame.reset();
      ++stats_.tx_dropped;
    }
  }

  [[nodiscard]] int wait_fd() const override { return -1; }

  bool refresh() override { return false; }

  [[nodiscard]] std::string_view kind() const override { return "closed"; }

 private:
  std::string name_;
  PortInfo info_{};
  PortStats stats_{};
};

}  // namespace aoe::net
