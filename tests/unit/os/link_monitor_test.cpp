#include "os/link_monitor.h"

#include "support/network_namespace.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>

namespace aoe::os {
namespace {

class LinkMonitorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    AOE_NEW_NETWORK_OR_SKIP();
    ASSERT_EQ(aoe::testing::run_command("ip link add va type veth peer name vb"), 0);
    auto monitor = LinkMonitor::open();
    ASSERT_TRUE(monitor) << monitor.error().message;
    monitor_ = *std::move(monitor);
  }

  [[nodiscard]] bool readable() const {
    pollfd wait{monitor_->wait_fd(), POLLIN, 0};
    return ::poll(&wait, 1, 2000) == 1;
  }

  std::unique_ptr<LinkMonitor> monitor_;
};

TEST_F(LinkMonitorTest, QuietNetworkHasNoChanges) {
  EXPECT_TRUE(monitor_->drain().empty());
}

TEST_F(LinkMonitorTest, ReportsTheInterfaceThatWentUpAndNoOther) {
  ASSERT_EQ(aoe::testing::run_command("ip link set va up"), 0);
  ASSERT_TRUE(readable());
  const LinkChanges changes = monitor_->drain();
  EXPECT_TRUE(changes.contains("va"));
  EXPECT_FALSE(changes.contains("lo"));
  EXPECT_FALSE(changes.everything);
}

TEST_F(LinkMonitorTest, ReportsMtuAndAddressChanges) {
  ASSERT_EQ(aoe::testing::run_command("ip link set va mtu 9000"), 0);
  ASSERT_TRUE(readable());
  EXPECT_TRUE(monitor_->drain().contains("va"));
  ASSERT_EQ(aoe::testing::run_command("ip link set vb address 02:00:00:00:00:99"), 0);
  ASSERT_TRUE(readable());
  EXPECT_TRUE(monitor_->drain().contains("vb"));
}

TEST_F(LinkMonitorTest, ReportsRemovalAndCreation) {
  ASSERT_EQ(aoe::testing::run_command("ip link del va"), 0);
  ASSERT_TRUE(readable());
  EXPECT_TRUE(monitor_->drain().contains("va"));
  ASSERT_EQ(aoe::testing::run_command("ip link add va type veth peer name vb"), 0);
  ASSERT_TRUE(readable());
  EXPECT_TRUE(monitor_->drain().contains("va"));
}

TEST_F(LinkMonitorTest, RenameReportsOldAndNewName) {
  ASSERT_EQ(aoe::testing::run_command("ip link set va name other"), 0);
  ASSERT_TRUE(readable());
  const LinkChanges changes = monitor_->drain();
  EXPECT_TRUE(changes.contains("va"));
  EXPECT_TRUE(changes.contains("other"));
}

TEST_F(LinkMonitorTest, OverrunSaysThatEverythingMayHaveChanged) {
  // Each event is a message of more than 1 KiB of socket memory; the buffer is at most 1 MiB.
  std::string script =
      "for i in $(seq 1 1500); do echo link set va mtu 1400; "
      "echo link set va mtu 1500; done | ip -batch -";
  ASSERT_EQ(aoe::testing::run_command(script), 0);
  EXPECT_TRUE(monitor_->drain().everything);
  ASSERT_EQ(aoe::testing::run_command("ip link set va name other"), 0);
  const LinkChanges after = monitor_->drain();
  EXPECT_TRUE(after.contains("other"));
  EXPECT_FALSE(after.everything);
}

}  // namespace
}  // namespace aoe::os
