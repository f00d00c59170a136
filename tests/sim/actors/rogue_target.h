// A foreign target with an address that is taken: a cloned machine, or a slip of the hand.
#pragma once

#include "base/ids.h"
#include "sim/actors/station.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace aoe::sim {

// As plain as vblade: it answers every question about its address, looks for nobody who might have
// it already, and has a disk of its own with another serial number. What is written to it is gone;
// reads return a pattern that no simulated disk holds.
class RogueTarget final : public Station {
 public:
  struct Options {
    DeviceAddress address;
    std::uint64_t sectors = 1024;
    std::string serial = "rogue";
  };

  RogueTarget(World& world, const Options& options);

  // It advertises itself, and answers from now on.
  void start();

  void stop() { active_ = false; }

  [[nodiscard]] std::uint64_t writes() const { return writes_; }

  [[nodiscard]] std::uint64_t identified() const { return identified_; }

 private:
  static constexpr std::size_t kFrameBytesMax = 9014;

  void on_frame(PortId port, PacketBuffer frame) override;
  void on_port(PortId port, const PortInfo& info) override;
  void on_wake() override;
  [[nodiscard]] std::size_t answer_ata(ConstByteSpan frame);
  void advertise();

  Options options_;
  std::array<std::byte, kFrameBytesMax> reply_{};
  bool active_ = false;
  std::uint64_t writes_ = 0;
  std::uint64_t identified_ = 0;
};

}  // namespace aoe::sim
