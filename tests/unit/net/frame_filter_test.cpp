#include "net/frame_filter.h"

#include "net/af_packet_port.h"
#include "unit/net/veth_test.h"

#include <memory>
#include <vector>

namespace aoe::net {
namespace {

class AddressShareTest : public VethTest {
 protected:
  static std::unique_ptr<AfPacketPort> open_share(std::uint16_t index, std::uint16_t count,
                                                  FrameFilter filter = FrameFilter::all) {
    auto port = AfPacketPort::open(
        {.interface = "vb", .filter = filter, .share = {.index = index, .count = count}});
    EXPECT_TRUE(port) << port.error().message;
    return port ? *std::move(port) : nullptr;
  }

  struct Sent {
    std::uint32_t number = 0;
    std::uint16_t shelf = 0;
    std::uint8_t slot = 0;
    std::uint8_t flags = 0x10;
    std::uint8_t command = 0;
  };

  void send_to(PacketPort& port, const Sent& sent) {
    PacketBuffer frame = make_frame({.number = sent.number, .flags = sent.flags});
    store_be16(frame.bytes(), 16, sent.shelf);
    store_u8(frame.bytes(), 18, sent.slot);
    store_u8(frame.bytes(), 19, sent.command);
    port.transmit({&frame, 1});
  }
};

TEST_F(AddressShareTest, EveryAddressReachesExactlyTheSocketThatItIsSaidToReach) {
  constexpr std::uint16_t kCount = 3;
  auto a = AfPacketPort::open({.interface = "va"});
  ASSERT_TRUE(a);
  std::vector<std::unique_ptr<AfPacketPort>> shares;
  std::vector<std::vector<std::uint32_t>> expected(kCount);
  for (std::uint16_t i = 0; i < kCount; ++i) {
    shares.push_back(open_share(i, kCount));
  }
  std::uint32_t number = 0;
  for (const unsigned shelf : {0U, 1U, 7U, 255U, 256U, 4711U, 65534U}) {
    for (const unsigned slot : {0U, 1U, 2U, 15U, 254U}) {
      const Sent sent{.number = number,
                      .shelf = static_cast<std::uint16_t>(shelf),
                      .slot = static_cast<std::uint8_t>(slot)};
      send_to(**a, sent);
      expected[share_of(sent.shelf, sent.slot, kCount)].push_back(number++);
    }
  }
  for (std::uint16_t i = 0; i < kCount; ++i) {
    EXPECT_FALSE(expected[i].empty());
    EXPECT_THAT(numbers(receive(*shares[i], expected[i].size())),
                ::testing::ElementsAreArray(expected[i]));
    EXPECT_TRUE(nothing_to_receive(*shares[i]));
  }
}

TEST_F(AddressShareTest, WildcardsReachEverySocket) {
  auto a = AfPacketPort::open({.interface = "va"});
  ASSERT_TRUE(a);
  auto first = open_share(0, 2);
  auto second = open_share(1, 2);
  send_to(**a, {.number = 1, .shelf = 0xFFFF, .slot = 0xFF});
  send_to(**a, {.number = 2, .shelf = 0xFFFF, .slot = 3});
  send_to(**a, {.number = 3, .shelf = 7, .slot = 0xFF});
  EXPECT_THAT(numbers(receive(*first, 3)), ::testing::ElementsAre(1U, 2U, 3U));
  EXPECT_THAT(numbers(receive(*second, 3)), ::testing::ElementsAre(1U, 2U, 3U));
}

TEST_F(AddressShareTest, KindsAreToldApartWithinAShare) {
  auto a = AfPacketPort::open({.interface = "va"});
  ASSERT_TRUE(a);
  auto first = open_share(0, 2, FrameFilter::requests_and_announcements);
  auto second = open_share(1, 2, FrameFilter::requests_and_announcements);
  send_to(**a, {.number = 1, .shelf = 1, .slot = 1});                               // a request
  send_to(**a, {.number = 2, .shelf = 1, .slot = 1, .flags = 0x18});                // an answer
  send_to(**a, {.number = 3, .shelf = 1, .slot = 1, .flags = 0x18, .command = 1});  // announced
  send_to(**a, {.number = 4, .shelf = 1, .slot = 2});
  send_to(**a, {.number = 5, .shelf = 0xFFFF, .slot = 0xFF, .flags = 0x18});
  EXPECT_THAT(numbers(receive(*first, 2)), ::testing::ElementsAre(1U, 3U));
  EXPECT_TRUE(nothing_to_receive(*first));
  EXPECT_THAT(numbers(receive(*second, 1)), ::testing::ElementsAre(4U));
  EXPECT_TRUE(nothing_to_receive(*second));
}

TEST_F(AddressShareTest, FrameWithoutAnAddressIsForNobody) {
  auto a = AfPacketPort::open({.interface = "va"});
  ASSERT_TRUE(a);
  auto only = open_share(0, 2);
  send(**a, {.size_bytes = 18});
  send_to(**a, {.number = 9, .shelf = 2});
  EXPECT_THAT(numbers(receive(*only, 1)), ::testing::ElementsAre(9U));
}

TEST_F(AddressShareTest, AnswersGoOutThroughAnyShare) {
  auto a = AfPacketPort::open({.interface = "va"});
  ASSERT_TRUE(a);
  auto second = open_share(1, 2);
  send(*second, {.number = 6, .to = kMacA});
  EXPECT_THAT(numbers(receive(**a, 1)), ::testing::ElementsAre(6U));
}

}  // namespace
}  // namespace aoe::net
