// An administrator's machine: sends reservations until they are answered.
#pragma once

#include "base/ring_queue.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_mac_lists.h"
#include "sim/actors/station.h"

#include <array>
#include <cstdint>
#include <span>

namespace aoe::sim {

// One order after the other, each repeated until a target answers. Has one port.
class AdminStation final : public Station {
 public:
  explicit AdminStation(World& world);

  // Takes the disk for those addresses (at most kHoldersMax), or frees it. Dropped when more than
  // kOrdersMax wait.
  void force_reservation(DeviceAddress address, std::span<const MacAddress> holders);

  // Forgets the orders that were not sent yet.
  void drop_waiting();

  [[nodiscard]] bool is_idle() const { return orders_.empty(); }

  // The first answer to the last order.
  [[nodiscard]] std::uint64_t answers() const { return answers_; }

  static constexpr std::size_t kHoldersMax = 8;
  static constexpr std::size_t kOrdersMax = 256;

 private:
  struct Order {
    DeviceAddress address;
    std::array<MacAddress, kHoldersMax> holders{};
    std::size_t count = 0;
    Tag tag;
  };

  void on_frame(PortId port, PacketBuffer frame) override;
  void on_port(PortId port, const PortInfo& info) override;
  void on_wake() override;
  void send();

  RingQueue<Order> orders_;
  std::uint32_t last_tag_ = 0;
  std::uint64_t answers_ = 0;
};

}  // namespace aoe::sim
