// A machine with the Linux kernel's driver: plain AoE, and a new tag for every copy.
#pragma once

#include "sim/actors/initiator_host.h"
#include "sim/models/linux_driver.h"

#include <cstdint>
#include <vector>

namespace aoe::sim {

// Reads and writes only: the driver sends neither flush nor trim.
class LinuxHost final : public BlockMachine {
 public:
  struct Options {
    std::uint32_t number = 0;  // for messages
    LinuxDriver::Options driver{};
    std::int32_t drift_ppm = 0;
  };

  LinuxHost(World& world, const Options& options);

  // After the ports were added: loads the module.
  void start();

  [[nodiscard]] const LinuxDriver& driver() const { return driver_; }

  void set_tap(InitiatorTap* tap) { tap_ = tap; }

  [[nodiscard]] Result<initiator::DeviceId, initiator::SubmitError> open(
      DeviceAddress address, const initiator::DeviceSettings& settings) override;
  [[nodiscard]] Result<void, initiator::SubmitError> submit(
      initiator::DeviceId device, const initiator::IoRequest& request) override;
  void settle() override;

  [[nodiscard]] bool is_up() const override { return started_; }

  [[nodiscard]] std::uint32_t number() const override { return options_.number; }

  [[nodiscard]] std::string describe(initiator::DeviceId device) const override;

 private:
  struct Disk {
    DeviceAddress address;
    bool is_open = false;  // to the driver: it has come up
    std::vector<initiator::IoRequest> requests;
  };

  void on_frame(PortId port, PacketBuffer frame) override;
  void on_port(PortId port, const PortInfo& info) override;
  void on_wake() override;
  void open_what_came_up();
  [[nodiscard]] bool complete_some();

  Options options_;
  InitiatorTap* tap_ = nullptr;
  LinuxDriver driver_;
  std::vector<Disk> disks_;  // by DeviceId
  bool started_ = false;
};

}  // namespace aoe::sim
