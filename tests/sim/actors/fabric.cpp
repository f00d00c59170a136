#include "sim/actors/fabric.h"

#include <utility>

namespace aoe::sim {
namespace {

MacAddress machine_mac(std::uint8_t kind, std::uint32_t machine, std::uint32_t port) {
  return {{0x02, kind, 0, static_cast<std::uint8_t>(machine >> 8U),
           static_cast<std::uint8_t>(machine), static_cast<std::uint8_t>(port)}};
}

constexpr std::uint8_t kTargetKind = 1;
constexpr std::uint8_t kInitiatorKind = 2;
constexpr std::uint8_t kStrangerKind = 3;

}  // namespace

MacAddress target_mac(std::uint32_t target, std::uint32_t port) {
  return machine_mac(kTargetKind, target, port);
}

MacAddress initiator_mac(std::uint32_t initiator, std::uint32_t port) {
  return machine_mac(kInitiatorKind, initiator, port);
}

MacAddress stranger_mac(std::uint32_t number) {
  return machine_mac(kStrangerKind, number, 0);
}

Fabric::Fabric(const Options& options) : options_(options), world_(options.world) {
  for (std::uint32_t i = 0; i < options.switches; ++i) {
    switches_.push_back(std::make_unique<EthernetSwitch>(
        world_, EthernetSwitch::Options{.ports = options.switch_ports}));
  }
}

Link& Fabric::new_link() {
  links_.push_back(std::make_unique<Link>(world_, links_.size()));
  links_.back()->set_quality(options_.link);
  return *links_.back();
}

void Fabric::plug_ports(Station& station, std::uint32_t ports, std::size_t mtu_bytes,
                        const MacAddress& first) {
  for (std::uint32_t port = 0; port < ports; ++port) {
    MacAddress mac = first;
    mac.octets[5] = static_cast<std::uint8_t>(port);
    station.add_port(mac, mtu_bytes, new_link(), *switches_[port % switches_.size()]);
  }
}

TargetHost& Fabric::add_target(TargetHostOptions options, std::uint32_t ports,
                               std::size_t mtu_bytes) {
  options.index = static_cast<std::uint32_t>(targets_.size());
  targets_.push_back(std::make_unique<TargetHost>(world_, options));
  plug_ports(*targets_.back(), ports, mtu_bytes, target_mac(options.index, 0));
  return *targets_.back();
}

InitiatorHost& Fabric::add_initiator(InitiatorHostOptions options, std::uint32_t ports,
                                     std::size_t mtu_bytes) {
  options.index = static_cast<std::uint32_t>(machines_.size());
  initiators_.push_back(std::make_unique<InitiatorHost>(world_, options));
  machines_.push_back(initiators_.back().get());
  plug_ports(*initiators_.back(), ports, mtu_bytes, initiator_mac(options.index, 0));
  return *initiators_.back();
}

LinuxMachine& Fabric::add_linux(LinuxMachineOptions options, std::uint32_t ports,
                                std::size_t mtu_bytes) {
  options.index = static_cast<std::uint32_t>(machines_.size());
  linux_machines_.push_back(std::make_unique<LinuxMachine>(world_, options));
  machines_.push_back(linux_machines_.back().get());
  plug_ports(*linux_machines_.back(), ports, mtu_bytes, initiator_mac(options.index, 0));
  return *linux_machines_.back();
}

void Fabric::plug(Station& station, const MacAddress& mac, std::size_t mtu_bytes) {
  station.add_port(mac, mtu_bytes, new_link(), *switches_.front());
}

SimDisk& Fabric::add_disk(const DiskOptions& options) {
  disks_.push_back(
      std::make_unique<SimDisk>(world_, static_cast<std::uint32_t>(disks_.size()), options));
  return *disks_.back();
}

void Fabric::add_export(TargetHost& target, target::ExportSettings settings, std::uint32_t disk,
                        const DiskOptions& options) {
  settings.sector_count = disks_[disk]->sectors();
  settings.can_discard = true;
  settings.discard_reads_zero = options.discard_reads_zero;
  settings.is_rotational = options.speed.kind == DiskSpeed::Kind::spinning;
  target.add_export(settings, *disks_[disk], disk);
}

}  // namespace aoe::sim
