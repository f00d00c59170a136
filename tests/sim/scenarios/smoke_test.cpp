#include "sim/actors/fabric.h"
#include "sim/actors/workload.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::sim {
namespace {

constexpr DeviceAddress kAddress{Shelf{7}, Slot{1}};
constexpr std::uint64_t kSectors = 1024;

// Runs two workloads on one disk; the hash of what happened.
std::uint64_t run(std::uint64_t seed, const LinkQuality& quality) {
  Judges judges;
  Fabric fabric({.world = {.seed = seed, .frame_bytes_max = 1514}, .link = quality});
  const DiskOptions disk{.sectors = kSectors};
  fabric.add_disk(disk);
  TargetHost& target = fabric.add_target({.frame_bytes = 1514}, 1, 1500);
  target::ExportSettings settings;
  settings.address = kAddress;
  fabric.add_export(target, settings, 0, disk);
  target.start();
  judges.watch(target, *fabric.disks()[0], 0);
  std::vector<std::unique_ptr<Workload>> loads;
  for (std::uint32_t i = 0; i < 2; ++i) {
    InitiatorHost& host = fabric.add_initiator({.frame_bytes = 1514}, 1, 1500);
    host.start();
    const WorkloadDisk use{
        .address = kAddress, .disk = 0, .sectors = kSectors, .owner = i, .owners = 2};
    loads.push_back(std::make_unique<Workload>(
        host, judges, WorkloadOptions{.index = i, .disks = {use}, .sectors_max = 2}));
    loads.back()->start(2000);
  }
  fabric.run_for(Duration::seconds(60));
  for (const auto& load : loads) {
    EXPECT_TRUE(load->is_done());
    EXPECT_EQ(load->counters().ok, 2000U);
  }
  EXPECT_TRUE(judges.violations.empty()) << judges.violations.text();
  return fabric.world().trace().value();
}

TEST(TwoWorkloadsOnOneDisk, SeeWhatTheyWrote) {
  run(1, {});
}

TEST(TwoWorkloadsOnOneDisk, SeeWhatTheyWroteThroughALossyNetwork) {
  run(1, {.loss_ppm = 10'000});
}

TEST(TwoWorkloadsOnOneDisk, DoTheSameWithTheSameSeed) {
  EXPECT_EQ(run(5, {.loss_ppm = 10'000}), run(5, {.loss_ppm = 10'000}));
  EXPECT_NE(run(5, {.loss_ppm = 10'000}), run(6, {.loss_ppm = 10'000}));
}

}  // namespace
}  // namespace aoe::sim
