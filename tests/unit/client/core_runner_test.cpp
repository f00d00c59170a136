// Ports that come and go while a runner works.
#include "client/core_runner.h"

#include "os/clock.h"
#include "unit/client/target_port.h"

#include <gtest/gtest.h>

namespace aoe::client {
namespace {

using initiator::FakeTarget;
using initiator::kE71;
using initiator::Sent;

class CoreRunnerTest : public ::testing::Test {
 protected:
  std::unique_ptr<net::PacketPort> port(const char* name) {
    return std::make_unique<TargetPort>(
        name, [this](const Sent& sent) { return answers ? target.answer(sent) : std::nullopt; });
  }

  void make_runner(std::vector<const char*> names) {
    CoreRunner::Ports ports;
    for (const char* name : names) {
      ports.push_back(port(name));
    }
    CoreRunner::Options options;
    options.core.limits.ports_max = 2;
    auto created = CoreRunner::create(std::move(ports), nullptr, options);
    ASSERT_TRUE(created);
    runner = *std::move(created);
  }

  [[nodiscard]] const initiator::Device& device() const { return *runner->core().device(id); }

  void open_device() {
    const auto opened = runner->core().open_device(os::monotonic_now(), kE71, {});
    ASSERT_TRUE(opened);
    id = *opened;
  }

  // Turns until the device is (not) up; a broken runner is told by the limit.
  void turn_until_up(bool up) {
    for (int i = 0; i < 1000 && device().is_up() != up; ++i) {
      runner->turn(os::monotonic_now() + Duration::milliseconds(10));
    }
    ASSERT_EQ(device().is_up(), up);
  }

  FakeTarget target;
  bool answers = true;
  std::unique_ptr<CoreRunner> runner;
  initiator::DeviceId id{};
};

TEST_F(CoreRunnerTest, ADeviceIsFoundOverAPortThatWasAddedLater) {
  make_runner({});
  open_device();
  runner->turn(os::monotonic_now() + Duration::milliseconds(1));
  EXPECT_FALSE(device().is_up());
  EXPECT_EQ(runner->add_port(port("late0")), PortId{0});
  turn_until_up(true);
}

TEST_F(CoreRunnerTest, ARemovedPortTakesItsPathsDownAndGivesThemBack) {
  make_runner({"test0"});
  open_device();
  turn_until_up(true);
  runner->remove_port(PortId{0});
  EXPECT_FALSE(device().is_up());
  ASSERT_EQ(runner->ports().size(), 1U) << "ports keep their numbers";
  EXPECT_EQ(runner->ports()[0]->name(), "test0");
  EXPECT_FALSE(runner->ports()[0]->info().link_up);
  runner->turn(os::monotonic_now() + Duration::milliseconds(1));
  EXPECT_EQ(runner->add_port(port("test0")), PortId{0});
  turn_until_up(true);
}

TEST_F(CoreRunnerTest, PortsGetTheirOldNumberElseANewOneElseAnyFreeOne) {
  make_runner({"a", "b"});
  EXPECT_EQ(runner->add_port(port("c")).error().code, Errc::no_space);
  runner->remove_port(PortId{0});
  runner->remove_port(PortId{1});
  EXPECT_EQ(runner->add_port(port("b")), PortId{1});
  EXPECT_EQ(runner->add_port(port("c")), PortId{0});
  EXPECT_EQ(runner->ports()[0]->name(), "c");
}

TEST_F(CoreRunnerTest, AnMtuLimitHoldsForFramesUntilItIsTakenAway) {
  make_runner({"a"});
  runner->limit_mtu("a", 600);
  open_device();
  turn_until_up(true);
  EXPECT_EQ(device().paths().smallest_payload_sectors(), 1U);
  runner->limit_mtu("a", 0);
  for (int i = 0; i < 1000 && device().paths().smallest_payload_sectors() == 1; ++i) {
    runner->turn(os::monotonic_now() + Duration::milliseconds(10));
  }
  EXPECT_EQ(device().paths().smallest_payload_sectors(), 2U);
}

}  // namespace
}  // namespace aoe::client
