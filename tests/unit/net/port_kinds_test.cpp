#include "net/port_kinds.h"

#include "unit/net/veth_test.h"

namespace aoe::net {
namespace {

TEST(PortKinds, EveryKindHasItsWord) {
  ASSERT_EQ(kPortKinds.size(), kPortKindWords.size());
  for (std::size_t i = 0; i < kPortKinds.size(); ++i) {
    EXPECT_EQ(to_string(kPortKinds[i]), kPortKindWords[i]);
  }
}

class PortKindsTest : public VethTest {};

TEST_F(PortKindsTest, BuildWithoutAfXdpSaysSo) {
  auto port = open_port(PortKind::xdp, {.interface = "va"});
  if (has_xdp()) {
    EXPECT_TRUE(port || port.error().code == Errc::not_permitted) << port.error().message;
    return;
  }
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().code, Errc::unsupported);
  EXPECT_THAT(port.error().message, ::testing::HasSubstr("this build has no AF_XDP"));
}

TEST_F(PortKindsTest, AutoTakesNothingFromOthers) {
  auto a = open_port(PortKind::packet, {.interface = "va"});
  auto first = open_port(PortKind::automatic, {.interface = "vb"});
  auto second = open_port(PortKind::automatic, {.interface = "vb"});
  ASSERT_TRUE(a && first && second);
  send_numbers(**a, 1, 1);
  EXPECT_THAT(numbers(receive(**first, 1)), ::testing::ElementsAre(1U));
  EXPECT_THAT(numbers(receive(**second, 1)), ::testing::ElementsAre(1U));
}

}  // namespace
}  // namespace aoe::net
