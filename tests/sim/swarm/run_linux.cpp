// What comes before the faults where machines have the Linux driver.
#include "sim/swarm/run.h"

#include <algorithm>

namespace aoe::sim {
namespace {

// Until the clocks of its hosts are known, and its timers have come down.
constexpr Duration kLinuxLearningMax = Duration::seconds(60);
constexpr Duration kLinuxLearningStep = Duration::milliseconds(15);
constexpr std::uint32_t kLinuxReadsAStep = 8;
constexpr std::uint32_t kLinuxRounds = 300;
constexpr std::uint32_t kLinuxFew = 8;  // where there are more machines, timers stay as they are
constexpr Duration kLinuxRtoLearned = Duration::milliseconds(150);

}  // namespace

bool SwarmRun::are_clocks_known() {
  return std::all_of(linux_uses_.begin(), linux_uses_.end(), [this](const LinuxUse& use) {
    const target::TargetCore* core = fabric_.targets()[use.target]->core();
    const BlockMachine& machine = *fabric_.machines()[use.machine];
    for (std::size_t port = 0; port < machine.port_count(); ++port) {
      const MacAddress mac = machine.port_info(PortId{static_cast<std::uint8_t>(port)}).mac;
      const auto is_known = [&mac](const target::Initiator& initiator) {
        return initiator.in_use && initiator.mac == mac && initiator.host != 0;
      };
      if (std::none_of(core->initiators().begin(), core->initiators().end(), is_known)) {
        return false;
      }
    }
    return true;
  });
}

bool SwarmRun::are_timers_down() const {
  return std::all_of(linux_uses_.begin(), linux_uses_.end(), [this](const LinuxUse& use) {
    return linux_[use.machine]->driver().rto(use.address) <= kLinuxRtoLearned;
  });
}

void SwarmRun::teach_clocks() {
  for (const auto& workload : workloads_) {
    workload->start(0);
  }
  const bool is_small = plan_.initiators <= kLinuxFew;
  const Instant begin = fabric_.world().now();
  const Instant end = begin + kLinuxLearningMax;
  for (std::uint32_t round = 0;
       !are_clocks_known() || (is_small && round < kLinuxRounds && !are_timers_down()); ++round) {
    if (fabric_.world().now() >= end) {
      judges_.violations.add(Rule::progress, end, "the clocks of Linux hosts are not learned");
      return;
    }
    for (std::size_t i = 0; i < workloads_.size(); ++i) {
      const std::uint32_t disks = linux_[i] != nullptr ? workloads_[i]->disks() : 0;
      for (std::uint32_t read = 0; read < disks * (is_small ? kLinuxReadsAStep : 1); ++read) {
        static_cast<void>(workloads_[i]->ask(
            {.op = initiator::IoOp::read, .disk = (round + read) % disks, .sectors = 1}));
      }
    }
    fabric_.run_for(kLinuxLearningStep);
  }
}

}  // namespace aoe::sim
