// A host with the modelled Linux driver.
#pragma once

#include "sim/congestion/load_host.h"
#include "sim/models/linux_driver.h"

#include <cstdint>
#include <vector>

namespace aoe::sim {

class LinuxHost final : public LoadHost {
 public:
  LinuxHost(World& world, FrameLedger& ledger, std::uint16_t number, const LoadOptions& options);

  [[nodiscard]] const LinuxDriver& driver() const { return driver_; }

 private:
  struct Request {
    Lba lba{};
    std::vector<std::byte> data;
  };

  void begin(Instant now) override;
  void receive(Instant now, PortId port, PacketBuffer frame) override;
  [[nodiscard]] Instant run(Instant now) override;

  [[nodiscard]] DeviceAddress address(std::uint8_t slot) const {
    return {Shelf{options().shelf}, Slot{slot}};
  }

  LinuxDriver driver_;
  std::vector<std::uint8_t> is_open_;             // by slot
  std::vector<Request> requests_;                 // all slots; the index is the cookie
  std::vector<std::vector<std::uint32_t>> free_;  // by slot
};

}  // namespace aoe::sim
