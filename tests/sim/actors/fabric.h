// A network put together: switches, cables, machines and disks.
#pragma once

#include "sim/actors/initiator_host.h"
#include "sim/actors/linux_machine.h"
#include "sim/actors/target_host.h"
#include "sim/world/ethernet_switch.h"
#include "sim/world/link.h"
#include "sim/world/sim_disk.h"
#include "sim/world/world.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::sim {

// Port n of a machine hangs on switch n, modulo the number of switches. Everything lives as long as
// the fabric.
class Fabric {
 public:
  struct Options {
    WorldOptions world{};
    std::uint32_t switches = 1;
    std::uint16_t switch_ports = 256;
    LinkQuality link{};  // of every cable
  };

  explicit Fabric(const Options& options);

  [[nodiscard]] World& world() { return world_; }

  // Targets, and machines that use them, are numbered in the order in which they were added;
  // `index` in the options is set.
  TargetHost& add_target(TargetHostOptions options, std::uint32_t ports, std::size_t mtu_bytes);
  InitiatorHost& add_initiator(InitiatorHostOptions options, std::uint32_t ports,
                               std::size_t mtu_bytes);
  LinuxMachine& add_linux(LinuxMachineOptions options, std::uint32_t ports, std::size_t mtu_bytes);
  // Any other station.
  void plug(Station& station, const MacAddress& mac, std::size_t mtu_bytes);

  // The disk's number is its place in disks().
  SimDisk& add_disk(const DiskOptions& options);
  // Lets the target serve the disk: size, trim and rotation are the disk's.
  void add_export(TargetHost& target, target::ExportSettings settings, std::uint32_t disk,
                  const DiskOptions& options);

  [[nodiscard]] std::vector<std::unique_ptr<TargetHost>>& targets() { return targets_; }

  [[nodiscard]] std::vector<std::unique_ptr<InitiatorHost>>& initiators() { return initiators_; }

  [[nodiscard]] std::vector<std::unique_ptr<LinuxMachine>>& linux_machines() {
    return linux_machines_;
  }

  // By number: those that have our initiator, and those that have the Linux driver.
  [[nodiscard]] const std::vector<BlockMachine*>& machines() const { return machines_; }

  [[nodiscard]] std::vector<std::unique_ptr<SimDisk>>& disks() { return disks_; }

  [[nodiscard]] std::vector<std::unique_ptr<Link>>& links() { return links_; }

  [[nodiscard]] EthernetSwitch& switch_at(std::size_t index) { return *switches_[index]; }

  // Lets time pass.
  void run_for(Duration duration) { world_.events().run_until(world_.now() + duration); }

 private:
  void plug_ports(Station& station, std::uint32_t ports, std::size_t mtu_bytes,
                  const MacAddress& first);
  [[nodiscard]] Link& new_link();

  Options options_;
  World world_;
  std::vector<std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<EthernetSwitch>> switches_;
  std::vector<std::unique_ptr<SimDisk>> disks_;
  std::vector<std::unique_ptr<TargetHost>> targets_;
  std::vector<std::unique_ptr<InitiatorHost>> initiators_;
  std::vector<std::unique_ptr<LinuxMachine>> linux_machines_;
  std::vector<BlockMachine*> machines_;
};

[[nodiscard]] MacAddress stranger_mac(std::uint32_t number);
[[nodiscard]] MacAddress target_mac(std::uint32_t target, std::uint32_t port);
[[nodiscard]] MacAddress initiator_mac(std::uint32_t initiator, std::uint32_t port);

}  // namespace aoe::sim
