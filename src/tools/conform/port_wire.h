// The wire of checks over a packet port.
#pragma once

#include "net/packet_port.h"
#include "tools/conform/wire.h"

#include <memory>

namespace aoe::tools::conform {

struct PortWireOptions {
  Duration answer_within = Duration::milliseconds(300);
  int attempts = 4;  // until answered
};

// Owns the port. Sends whole frames as they are; what is longer than the MTU allows is dropped by
// it.
class PortWire final : public Wire {
 public:
  PortWire(std::unique_ptr<net::PacketPort> port, const PortWireOptions& options);

  [[nodiscard]] MacAddress mac() const override { return port_->info().mac; }

  [[nodiscard]] std::size_t mtu_bytes() const override { return port_->info().mtu_bytes; }

  [[nodiscard]] std::vector<Bytes> ask(std::span<const Bytes> frames, Listen listen) override;
  void rest(Duration duration) override;

 private:
  void send(std::span<const Bytes> frames);
  void collect(std::span<const Bytes> frames, std::vector<Bytes>& answers);
  // Answers that came while nobody asked are of no interest.
  void drain();

  std::unique_ptr<net::PacketPort> port_;
  PortWireOptions options_;
};

}  // namespace aoe::tools::conform
