#include "os/netif.h"

#include "support/network_namespace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <linux/if_arp.h>

#include <string>

namespace aoe::os {
namespace {

class NetifTest : public ::testing::Test {
 protected:
  void SetUp() override { AOE_NEW_NETWORK_OR_SKIP(); }
};

TEST_F(NetifTest, ReportsAddressMtuStateAndKindOfAVethPair) {
  ASSERT_EQ(aoe::testing::run_command("ip link add va address 02:00:00:00:00:0a mtu 9000 "
                                      "type veth peer name vb && ip link set va up"),
            0);
  auto down = query_interface("vb");
  ASSERT_TRUE(down) << down.error().message;
  EXPECT_FALSE(down->up);

  auto lonely = query_interface("va");
  ASSERT_TRUE(lonely);
  EXPECT_TRUE(lonely->up);
  EXPECT_FALSE(lonely->carrier);

  ASSERT_EQ(aoe::testing::run_command("ip link set vb up"), 0);
  ASSERT_TRUE(aoe::testing::wait_for_carrier("va"));
  auto both = query_interface("va");
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->carrier);
  EXPECT_EQ(to_string(both->mac), "02:00:00:00:00:0a");
  EXPECT_EQ(both->mtu_bytes, 9000U);
  EXPECT_EQ(both->name, "va");
  EXPECT_GT(both->index, 0);
  EXPECT_EQ(both->kind, "veth");
  EXPECT_TRUE(is_ethernet(*both));
  EXPECT_FALSE(is_auto_candidate(*both));
}

TEST_F(NetifTest, BridgePortIsEnslaved) {
  ASSERT_EQ(aoe::testing::run_command("ip link add va type veth peer name vb && "
                                      "ip link add br0 type bridge && ip link set va master br0"),
            0);
  auto port = query_interface("va");
  ASSERT_TRUE(port);
  EXPECT_TRUE(port->enslaved);
  auto bridge = query_interface("br0");
  ASSERT_TRUE(bridge);
  EXPECT_EQ(bridge->kind, "bridge");
}

TEST_F(NetifTest, MissingInterfaceIsNotFoundAndNamed) {
  auto missing = query_interface("nosuch0");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_THAT(missing.error().message, ::testing::StartsWith("nosuch0: "));
}

TEST_F(NetifTest, ImpossibleNamesAreRefusedWithTheLimit) {
  auto too_long = query_interface("sixteen-bytes-xx");
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, Errc::invalid_argument);
  EXPECT_THAT(too_long.error().message, ::testing::HasSubstr("1 to 15"));
  EXPECT_FALSE(query_interface(""));
}

TEST_F(NetifTest, ListContainsLoopbackAndNewInterfaces) {
  ASSERT_EQ(aoe::testing::run_command("ip link add va type veth peer name vb"), 0);
  auto interfaces = list_interfaces();
  ASSERT_TRUE(interfaces) << interfaces.error().message;
  std::vector<std::string> names;
  for (const NetInterface& interface : *interfaces) {
    names.push_back(interface.name);
  }
  EXPECT_THAT(names, ::testing::IsSupersetOf({"lo", "va", "vb"}));
  EXPECT_FALSE(is_ethernet(interfaces->front())) << interfaces->front().name;
}

TEST(AutoCandidate, IsUpEthernetHardwareOnItsOwn) {
  NetInterface nic;
  nic.name = "eth0";
  nic.up = true;
  nic.carrier = true;
  nic.hardware_type = ARPHRD_ETHER;
  EXPECT_TRUE(is_auto_candidate(nic));

  NetInterface bond = nic;
  bond.kind = "bond";
  EXPECT_TRUE(is_auto_candidate(bond));

  for (const char* kind : {"veth", "bridge", "tun", "vlan", "macvlan", "dummy"}) {
    NetInterface other = nic;
    other.kind = kind;
    EXPECT_FALSE(is_auto_candidate(other)) << kind;
  }
  NetInterface unplugged = nic;
  unplugged.carrier = false;
  EXPECT_FALSE(is_auto_candidate(unplugged));
  NetInterface member = nic;
  member.enslaved = true;
  EXPECT_FALSE(is_auto_candidate(member));
  NetInterface loopback = nic;
  loopback.hardware_type = ARPHRD_LOOPBACK;
  EXPECT_FALSE(is_auto_candidate(loopback));
}

}  // namespace
}  // namespace aoe::os
