#include "sim/scenarios/scenario.h"

#include <algorithm>

namespace aoe::sim {

using initiator::IoCompletion;
using initiator::IoOp;

void Scenario::build(const Stage& stage) {
  const std::size_t frame_bytes = stage.mtu_bytes + 14;
  fabric_ = std::make_unique<Fabric>(
      Fabric::Options{.world = {.seed = stage.seed, .frame_bytes_max = frame_bytes},
                      .switches = stage.switches,
                      .link = stage.link});
  admin_ = std::make_unique<AdminStation>(fabric_->world());
  fabric_->plug(*admin_, stranger_mac(0), stage.mtu_bytes);

  DiskOptions disk_options = stage.disk;
  disk_options.sectors = stage.sectors;
  fabric_->add_disk(disk_options);
  TargetHostOptions target_options;
  target_options.limits = stage.target;
  target_options.buffers = stage.target.requests_max * 2U + 64;
  target_options.frame_bytes = frame_bytes;
  TargetHost& host = fabric_->add_target(target_options, stage.target_ports, stage.mtu_bytes);
  target::ExportSettings settings;
  settings.address = kDiskAddress;
  settings.mode = stage.mode;
  settings.has_duplicate_memory = stage.speaks_extension;
  fabric_->add_export(host, settings, 0, disk_options);
  judges_.watch(host, disk(), 0);
  host.start();

  for (std::uint32_t i = 0; i < stage.initiators; ++i) {
    BlockMachine& machine = add_machine(stage);
    machine.start();
    const WorkloadDisk use{.address = kDiskAddress,
                           .disk = 0,
                           .sectors = stage.sectors,
                           .owner = i,
                           .owners = stage.initiators};
    users_.push_back(std::make_unique<Workload>(
        machine, judges_,
        WorkloadOptions{.index = i,
                        .disks = {use},
                        .device = stage.device,
                        .depth = stage.depth,
                        .promise = stage.speaks_extension && !stage.has_linux_driver
                                       ? ExecutionChecker::Promise::exactly_once
                                       : ExecutionChecker::Promise::at_least_once}));
    users_.back()->excuse = [this](const WorkloadDisk&, const IoCompletion& done) {
      return std::find(excused_.begin(), excused_.end(), done.status) != excused_.end();
    };
    users_.back()->start(0);
  }
  ASSERT_TRUE(run_until([this, &stage] { return is_whole(stage); }))
      << users_.front()->describe_paths();
}

BlockMachine& Scenario::add_machine(const Stage& stage) {
  if (stage.has_linux_driver) {
    LinuxMachine& machine =
        fabric_->add_linux({.driver = stage.linux_driver}, stage.initiator_ports, stage.mtu_bytes);
    machine.set_tap(&judges_);
    return machine;
  }
  InitiatorHostOptions options;
  options.core = stage.initiator;
  if (!stage.speaks_extension) {
    options.core.extension = initiator::CoreOptions::Extension::off;
  }
  options.frame_bytes = stage.mtu_bytes + 14;
  InitiatorHost& machine = fabric_->add_initiator(options, stage.initiator_ports, stage.mtu_bytes);
  machine.set_tap(&judges_);
  return machine;
}

bool Scenario::is_whole(const Stage& stage) {
  if (stage.has_linux_driver) {
    return std::all_of(fabric_->linux_machines().begin(), fabric_->linux_machines().end(),
                       [](const auto& machine) { return machine->driver().is_up(kDiskAddress); });
  }
  for (std::uint32_t i = 0; i < stage.initiators; ++i) {
    const initiator::PathSet& paths = device(i).paths();
    if (!device(i).is_up() || paths.size() != paths_expected(stage)) {
      return false;
    }
    for (std::uint32_t path = 0; path < paths.size(); ++path) {
      if (paths.at(path).state != initiator::PathState::live) {
        return false;
      }
    }
  }
  return true;
}

std::uint32_t Scenario::paths_expected(const Stage& stage) {
  // Ports of one switch reach each other.
  std::uint32_t paths = 0;
  for (std::uint32_t mine = 0; mine < stage.initiator_ports; ++mine) {
    for (std::uint32_t theirs = 0; theirs < stage.target_ports; ++theirs) {
      paths += mine % stage.switches == theirs % stage.switches ? 1U : 0U;
    }
  }
  return paths;
}

void Scenario::TearDown() {
  if (fabric_ == nullptr) {
    return;
  }
  for (std::uint64_t lba = 0; lba < disk().sectors(); ++lba) {
    const std::optional<SectorValue> value =
        read_sector(disk().sector(lba), {.disk = 0, .lba = lba});
    ASSERT_TRUE(value.has_value()) << "sector " << lba;
    const auto ticket = judges_.history.begin_read({.disk = 0, .lba = lba, .sectors = 1});
    const auto problem = judges_.history.end_read(ticket, {*value});
    EXPECT_FALSE(problem.has_value()) << *problem;
  }
  EXPECT_TRUE(judges_.violations.empty()) << judges_.violations.text();
}

std::uint32_t Scenario::ask(const Workload::Wish& wish, std::size_t who) {
  const std::optional<std::uint32_t> number = user(who).ask(wish);
  EXPECT_TRUE(number.has_value()) << "the request is not taken";
  return number.value_or(0);
}

std::uint32_t Scenario::write(std::uint64_t lba, std::uint64_t sectors, std::size_t who) {
  return ask({.op = IoOp::write, .lba = lba, .sectors = sectors}, who);
}

std::uint32_t Scenario::read(std::uint64_t lba, std::uint64_t sectors, std::size_t who) {
  return ask({.op = IoOp::read, .lba = lba, .sectors = sectors}, who);
}

std::uint32_t Scenario::flush(std::size_t who) {
  return ask({.op = IoOp::flush}, who);
}

std::uint32_t Scenario::write_with_a_copy_held(std::uint64_t lba, Duration held) {
  const Instant now = fabric_->world().now();
  LinkDirection& link_0 = initiator_link(0, 0).to_far();
  LinkDirection& link_1 = initiator_link(0, 1).to_far();
  link_0.clog_until(now + held);
  link_1.clog_until(now + held);
  const std::uint64_t before_0 = link_0.counters().frames;
  const std::uint32_t number = write(lba);
  // Which way it went is the initiator's business: the other one is open again.
  (link_0.counters().frames > before_0 ? link_1 : link_0).clog_until(now);
  EXPECT_EQ(end_of(number).status, initiator::IoStatus::ok);
  return number;
}

IoCompletion Scenario::end_of(std::uint32_t number, std::size_t who, Duration at_most) {
  EXPECT_TRUE(run_until([&] { return has_ended(number, who); }, at_most))
      << "request " << number << " does not end\n"
      << user(who).describe_paths();
  return user(who).answer(number).value_or(IoCompletion{});
}

}  // namespace aoe::sim
