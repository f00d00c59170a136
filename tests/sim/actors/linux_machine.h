// A machine with the Linux kernel's driver: plain AoE, and a new tag for every copy.
#pragma once

#include "sim/actors/initiator_host.h"
#include "sim/models/linux_driver.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aoe::sim {

struct LinuxMachineOptions {
  std::uint32_t index = 0;
  LinuxDriver::Options driver{};
  std::int32_t drift_ppm = 0;
};

// Its users read and write only: the driver sends neither flush nor trim. As above a page cache,
// writes of sectors of which another write is under way wait: the driver has no order.
//
// A disk that the driver gave up is closed at once, as an administrator does who sees "closewait",
// and opened again when discovery has brought it back.
class LinuxMachine final : public BlockMachine {
 public:
  LinuxMachine(World& world, const LinuxMachineOptions& options);

  // Loads the module.
  void start() override;

  [[nodiscard]] const LinuxDriver& driver() const { return driver_; }

  [[nodiscard]] const LinuxMachineOptions& options() const { return options_; }

  // Since when the first of its disks that is down has been so; nothing while all are up.
  [[nodiscard]] std::optional<Instant> down_since() const;

  // How often a disk that had been given up came back.
  [[nodiscard]] std::uint64_t returns() const { return returns_; }

  void set_tap(InitiatorTap* tap) { tap_ = tap; }

  [[nodiscard]] Result<initiator::DeviceId, initiator::SubmitError> open(
      DeviceAddress address, const initiator::DeviceSettings& settings) override;
  [[nodiscard]] Result<void, initiator::SubmitError> submit(
      initiator::DeviceId device, const initiator::IoRequest& request) override;
  void settle() override;

  [[nodiscard]] bool is_up() const override { return started_; }

  [[nodiscard]] std::uint32_t number() const override { return options_.index; }

  [[nodiscard]] std::string describe(initiator::DeviceId device) const override;

 private:
  struct Open {
    bool in_use = false;
    initiator::IoRequest request{};
  };

  struct Disk {
    DeviceAddress address{};
    bool is_open = false;  // to the driver: it has come up
    Instant down_since{};  // when it is not
    bool was_given_up = false;
    std::vector<Open> requests{};  // by cookie
  };

  void on_frame(PortId port, PacketBuffer frame) override;
  void on_port(PortId port, const PortInfo& info) override;
  void on_wake() override;
  void open_what_came_up();
  void close_what_went_down();
  [[nodiscard]] bool complete_some();

  LinuxMachineOptions options_;
  InitiatorTap* tap_ = nullptr;
  LinuxDriver driver_;
  std::vector<Disk> disks_;  // by DeviceId
  bool started_ = false;
  std::uint64_t returns_ = 0;
};

}  // namespace aoe::sim
