// Lines as Linux's driver writes them.
#include "initiatord/driver_text.h"

#include <gtest/gtest.h>

namespace aoe::initiatord {
namespace {

using initiator::FrameNote;

constexpr DeviceAddress kE10{Shelf{1}, Slot{0}};
constexpr MacAddress kHere{{0x00, 0x18, 0x8b, 0x75, 0x1c, 0x17}};
constexpr MacAddress kThere{{0x00, 0x30, 0x48, 0xb9, 0x65, 0x14}};

TEST(DriverText, ARetransmissionHasTheColumnsOfTheDriver) {
  EXPECT_EQ(driver_frame_note({.kind = FrameNote::Kind::retransmission,
                               .at = Instant{0x1237d2026LL * 1'000'000},
                               .address = kE10,
                               .tag = Tag{0x89cc2022},
                               .source = kHere,
                               .destination = kThere,
                               .in_flight = 1}),
            "     retransmit e1.0 oldtag=89cc2022@1237d2026 newtag=89cc2022 s=00188b751c17 "
            "d=003048b96514 nout=1\n");
}

TEST(DriverText, AnAnswerToNothingHasTheColumnsOfTheDriver) {
  EXPECT_EQ(driver_frame_note({.kind = FrameNote::Kind::unexpected_answer,
                               .at = Instant{0x28LL * 1'000'000},
                               .address = kE10,
                               .tag = Tag{0x09cc2022},
                               .source = kThere,
                               .destination = kHere}),
            " unexpected rsp e1.0    tag=09cc2022@00000028 s=003048b96514 d=00188b751c17\n");
}

TEST(DriverText, ARequestThatWasGivenUpHasALineInTheSameColumns) {
  EXPECT_EQ(driver_frame_note({.kind = FrameNote::Kind::given_up,
                               .at = Instant{0x28LL * 1'000'000},
                               .address = kE10,
                               .tag = Tag{0x09cc2022},
                               .source = kHere,
                               .destination = kThere,
                               .transmissions = 9}),
            "       given up e1.0    tag=09cc2022@00000028 s=00188b751c17 d=003048b96514 sent=9\n");
}

}  // namespace
}  // namespace aoe::initiatord
