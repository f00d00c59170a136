// The wire of checks over a packet port.
#pragma once

#include "base/time.h"
#include "net/packet_port.h"
#include "tools/conform/wire.h"

#include <memory>

namespace aoe::tools::conform {

struct PortWireOptions {
  // How long a question is repeated until it counts as unanswered; a sixteenth of it lies between
  // two copies. Silence is believed after three copies and that sixteenth.
  Duration timeout = Duration::seconds(5);
};

// Owns the port. Sends whole frames as they are; what is longer than the MTU allows is dropped by
// it.
class PortWire final : public Wire {
 public:
  PortWire(std::unique_ptr<net::PacketPort> port, const PortWireOptions& options);

  [[nodiscard]] MacAddress mac() const override { return port_->info().mac; }

  [[nodiscard]] std::size_t mtu_bytes() const override { return port_->info().mtu_bytes; }

  [[nodiscard]] std::vector<Bytes> ask(std::span<const Bytes> frames, Listen listen) override;
  [[nodiscard]] Instant now() const override;
  void rest(Duration duration) override;

 private:
  void send(std::span<const Bytes> frames);
  // Until `deadline`, or until none of `waiting` is left: what has an answer is taken out of it.
  void hear_answers(std::span<const Bytes> frames, Instant deadline, std::vector<Bytes>& waiting,
                    std::vector<Bytes>& answers);
  void hear_everything(std::span<const Bytes> frames, Instant deadline,
                       std::vector<Bytes>& answers);
  void collect(std::span<const Bytes> frames, std::vector<Bytes>& answers);
  // Answers that came while nobody asked are of no interest.
  void drain();

  std::unique_ptr<net::PacketPort> port_;
  PortWireOptions options_;
};

}  // namespace aoe::tools::conform
