// A host with the Linux driver: each copy of a write has a tag of its own, and any may come late.
#include "sim/scenarios/scenario.h"

namespace aoe::sim {
namespace {

using initiator::IoStatus;

constexpr Duration kHeld = Duration::seconds(3);

class LinuxDriverHost : public Scenario {
 protected:
  // Reads until the target knows the clock of each port, and the driver's timer has come down.
  void come_to_know_each_other(std::uint32_t ports) {
    build({.initiator_ports = ports,
           .has_linux_driver = true,
           .target = {.requests_max = 128, .frame_life = Duration::seconds(4)}});
    for (int i = 0; i < 1500; ++i) {
      ASSERT_EQ(end_of(read(static_cast<std::uint64_t>(i) % 64)).status, IoStatus::ok);
      run_for(Duration::milliseconds(1));
    }
    ASSERT_EQ(target().core()->stats().clocks_learned, ports);
    ASSERT_LT(linux_machine().driver().rto(kDiskAddress), Duration::milliseconds(200));
  }

  // The first write was sent twice, and its first copy is still under way.
  void write_again_and_wait_for_copies() {
    const LinuxDriver::Counters& counters = linux_machine().driver().counters();
    EXPECT_EQ(counters.retransmissions, 1U);
    EXPECT_EQ(end_of(write(10)).status, IoStatus::ok);
    const SectorValue newer = value_at(10);
    EXPECT_EQ(served().stats.late.stale, 0U) << "the copies come later";
    run_for(kHeld);
    EXPECT_EQ(value_at(10), newer);
    EXPECT_EQ(served().stats.late.stale, counters.retransmissions);
    EXPECT_EQ(judges().executions.counters().after_answer, 0U);
  }
};

TEST_F(LinuxDriverHost, ALateCopyOfItsWriteDoesNotUndoANewerOne) {
  come_to_know_each_other(1);
  initiator_link(0).set_quality({.reorder_ppm = 1'000'000, .reorder_delay = kHeld});
  const std::uint32_t first = write(10);
  initiator_link(0).set_quality({});
  EXPECT_EQ(end_of(first).status, IoStatus::ok);
  write_again_and_wait_for_copies();
}

TEST_F(LinuxDriverHost, NorDoesOneThatCameThroughItsOtherPort) {
  come_to_know_each_other(2);
  write_with_a_copy_held(10, kHeld);
  // The second one is sent through the same port at first, and waits there behind the other.
  write_again_and_wait_for_copies();
}

TEST_F(LinuxDriverHost, AndItsOwnWorkIsNotHeldUpByTheGuard) {
  come_to_know_each_other(2);
  initiator_link(0, 0).set_quality(
      {.loss_ppm = 50'000, .reorder_ppm = 200'000, .reorder_delay = Duration::milliseconds(300)});
  initiator_link(0, 1).set_quality(
      {.loss_ppm = 50'000, .reorder_ppm = 200'000, .reorder_delay = Duration::milliseconds(300)});
  user().start(5000);
  ASSERT_TRUE(run_until([this] { return user().is_done(); }, Duration::seconds(3600)));
  EXPECT_GT(served().stats.late.judged, 1000U);
  EXPECT_GT(served().stats.late.stale, 0U);
  EXPECT_EQ(target().core()->stats().clocks_lost, 0U);
}

TEST_F(LinuxDriverHost, ADiskThatItGaveUpIsBackAfterTheNextDiscovery) {
  build({.has_linux_driver = true, .linux_driver = {.dead_after = Duration::seconds(20)}});
  excuse(IoStatus::device_fault);
  initiator_link(0).set_plugged(fabric().world().now(), false);
  EXPECT_EQ(end_of(read(1)).status, IoStatus::device_fault);
  EXPECT_TRUE(linux_machine().down_since().has_value());
  initiator_link(0).set_plugged(fabric().world().now(), true);
  EXPECT_TRUE(run_until([this] { return !linux_machine().down_since(); }, Duration::seconds(61)));
  EXPECT_EQ(linux_machine().returns(), 1U);
  EXPECT_EQ(end_of(write(1)).status, IoStatus::ok);
}

}  // namespace
}  // namespace aoe::sim
