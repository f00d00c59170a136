// The stage of the scenarios: one target with one disk, some initiators, and a hand on everything.
#pragma once

#include "sim/actors/admin_station.h"
#include "sim/actors/fabric.h"
#include "sim/actors/workload.h"
#include "sim/checkers/judges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::sim {

inline constexpr DeviceAddress kDiskAddress{Shelf{7}, Slot{1}};

struct Stage {
  std::uint64_t seed = 1;
  std::uint32_t initiators = 1;
  std::uint32_t initiator_ports = 1;
  std::uint32_t target_ports = 1;
  std::uint32_t switches = 1;
  std::size_t mtu_bytes = 1500;
  std::uint64_t sectors = 1024;
  bool speaks_extension = true;   // on both ends
  bool has_linux_driver = false;  // the initiators have it
  LinuxDriver::Options linux_driver{};
  target::WriteMode mode = target::WriteMode::write_through;
  LinkQuality link{};
  DiskOptions disk{};
  target::TargetLimits target{.requests_max = 128};
  initiator::CoreOptions initiator{};
  initiator::DeviceSettings device{};
  std::uint32_t depth = 16;
};

// Everything is up when build() returns: the devices are open and reachable. At the end nothing may
// be violated, and every sector holds what it may hold.
class Scenario : public ::testing::Test {
 protected:
  void build(const Stage& stage);
  void TearDown() override;

  [[nodiscard]] Fabric& fabric() { return *fabric_; }

  [[nodiscard]] TargetHost& target() { return *fabric_->targets()[0]; }

  [[nodiscard]] InitiatorHost& initiator(std::size_t index = 0) {
    return *fabric_->initiators()[index];
  }

  [[nodiscard]] LinuxMachine& linux_machine(std::size_t index = 0) {
    return *fabric_->linux_machines()[index];
  }

  [[nodiscard]] SimDisk& disk() { return *fabric_->disks()[0]; }

  [[nodiscard]] Workload& user(std::size_t index = 0) { return *users_[index]; }

  [[nodiscard]] AdminStation& admin() { return *admin_; }

  [[nodiscard]] Judges& judges() { return judges_; }

  // The cable of a port.
  [[nodiscard]] Link& initiator_link(std::size_t index, std::uint8_t port = 0) {
    return fabric_->machines()[index]->link(PortId{port});
  }

  [[nodiscard]] Link& target_link(std::uint8_t port = 0) { return target().link(PortId{port}); }

  [[nodiscard]] const initiator::Device& device(std::size_t index = 0) {
    return *initiator(index).core().device(initiator::DeviceId{0});
  }

  [[nodiscard]] const target::Export& served() { return *target().core()->find(kDiskAddress); }

  void run_for(Duration duration) { fabric_->run_for(duration); }

  // Lets time pass until `holds`, at most for that long. Whether it does.
  template <class Holds>
  [[nodiscard]] bool run_until(Holds holds, Duration at_most = Duration::seconds(60)) {
    const Instant end = fabric_->world().now() + at_most;
    while (!holds() && fabric_->world().now() < end) {
      run_for(Duration::microseconds(100));
    }
    return holds();
  }

  // Requests; each returns its number.
  std::uint32_t write(std::uint64_t lba, std::uint64_t sectors = 1, std::size_t who = 0);
  std::uint32_t read(std::uint64_t lba, std::uint64_t sectors = 1, std::size_t who = 0);
  std::uint32_t flush(std::size_t who = 0);

  // A write of the first initiator, which has two ports: it leaves through one of them, whose cable
  // holds it back for `held`, and its retransmission through the other. Returns when that was
  // answered.
  std::uint32_t write_with_a_copy_held(std::uint64_t lba, Duration held);

  // What the sector of the disk holds.
  [[nodiscard]] SectorValue value_at(std::uint64_t lba) {
    return {load_le64(disk().sector(lba), 0)};
  }

  [[nodiscard]] bool has_ended(std::uint32_t number, std::size_t who = 0) {
    return user(who).answer(number).has_value();
  }

  // The request's end, which is waited for.
  initiator::IoCompletion end_of(std::uint32_t number, std::size_t who = 0,
                                 Duration at_most = Duration::seconds(60));

  // Errors with this status are what the scenario is about.
  void excuse(initiator::IoStatus status) { excused_.push_back(status); }

  // The scenario has judged what there was; e.g. a planted violation.
  void forget_violations() { judges_.violations = {}; }

 private:
  BlockMachine& add_machine(const Stage& stage);
  [[nodiscard]] bool is_whole(const Stage& stage);
  [[nodiscard]] static std::uint32_t paths_expected(const Stage& stage);
  std::uint32_t ask(const Workload::Wish& wish, std::size_t who);

  Judges judges_;
  std::unique_ptr<Fabric> fabric_;
  std::unique_ptr<AdminStation> admin_;
  std::vector<std::unique_ptr<Workload>> users_;
  std::vector<initiator::IoStatus> excused_;
};

}  // namespace aoe::sim
