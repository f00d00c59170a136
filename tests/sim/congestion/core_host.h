// A host with our initiator.
#pragma once

#include "base/buffer_pool.h"
#include "initiator/initiator_core.h"
#include "sim/congestion/load_host.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::sim {

class CoreHost final : public LoadHost {
 public:
  CoreHost(World& world, FrameLedger& ledger, std::uint16_t number, const LoadOptions& options,
           const initiator::DeviceSettings& settings = {});

  [[nodiscard]] const initiator::InitiatorCore& core() const { return core_; }

 private:
  struct Disk {
    std::optional<initiator::DeviceId> id;
    std::uint32_t in_flight = 0;
  };

  // One request: its memory, and what it asked for.
  struct Request {
    std::uint8_t slot = 0;
    Lba lba{};
    std::vector<std::byte> data;
  };

  void begin(Instant now) override;
  void receive(Instant now, PortId port, PacketBuffer frame) override;
  [[nodiscard]] Instant run(Instant now) override;
  void take_completions(Instant now);
  void keep_busy(Instant now);
  void transmit(Instant now);

  initiator::DeviceSettings settings_;
  BufferPool pool_;
  initiator::InitiatorCore core_;
  std::vector<Disk> disks_;  // by slot
  std::vector<Request> requests_;
  std::vector<std::uint32_t> free_;
};

}  // namespace aoe::sim
