#include "target/initiator_table.h"

#include <gtest/gtest.h>

#include <set>

namespace aoe::target {
namespace {

MacAddress mac(unsigned number) {
  return {{0x02, 0, 0, static_cast<std::uint8_t>(number >> 16U),
           static_cast<std::uint8_t>(number >> 8U & 0xFFU),
           static_cast<std::uint8_t>(number & 0xFFU)}};
}

Instant at(std::int64_t seconds) {
  return Instant{} + Duration::seconds(seconds);
}

TEST(InitiatorTable, SameAddressHasOneEntry) {
  InitiatorTable table(8);
  const auto first = table.touch(mac(1), at(1));
  EXPECT_EQ(table.touch(mac(1), at(2)), first);
  EXPECT_EQ(table.at(first).last_seen, at(2));
  EXPECT_NE(table.touch(mac(2), at(2)), first);
}

TEST(InitiatorTable, CountsRequestsAndWhoIsActive) {
  InitiatorTable table(8);
  const auto a = table.touch(mac(1), at(1));
  const auto b = table.touch(mac(2), at(1));
  table.began(a);
  table.began(a);
  table.began(b);
  EXPECT_EQ(table.active_count(), 2U);
  table.ended(a);
  EXPECT_EQ(table.active_count(), 2U);
  table.ended(a);
  EXPECT_EQ(table.active_count(), 1U);
  EXPECT_EQ(table.at(a).requests, 2U);
  EXPECT_EQ(table.at(a).in_flight, 0U);
  table.ended(b);
  table.began(InitiatorTable::kNone);
  table.ended(InitiatorTable::kNone);
  EXPECT_EQ(table.active_count(), 0U);
}

TEST(InitiatorTable, LongestIdleOneMakesRoom) {
  InitiatorTable table(8);
  for (unsigned i = 0; i < 8; ++i) {
    (void)table.touch(mac(i), at(10 + i));
  }
  const auto oldest = table.touch(mac(0), at(10));
  (void)table.touch(mac(0), at(30));
  const auto second = table.touch(mac(1), at(11));
  EXPECT_EQ(table.touch(mac(100), at(40)), second) << "1 was idle longer than 0";
  EXPECT_EQ(table.touch(mac(0), at(41)), oldest);
}

TEST(InitiatorTable, StrangersCannotPushOutWhoWorks) {
  InitiatorTable table(8);
  const auto worker = table.touch(mac(1), at(1));
  table.began(worker);
  for (unsigned i = 100; i < 1100; ++i) {
    (void)table.touch(mac(i), at(2 + i));
  }
  EXPECT_EQ(table.touch(mac(1), at(5000)), worker);
  EXPECT_EQ(table.at(worker).in_flight, 1U);
  table.ended(worker);
}

TEST(InitiatorTable, NewcomerGoesUncountedWhenAllPlacesWork) {
  InitiatorTable table(8);
  for (unsigned i = 0; i < 8; ++i) {
    table.began(table.touch(mac(i), at(1)));
  }
  EXPECT_EQ(table.touch(mac(99), at(2)), InitiatorTable::kNone);
  EXPECT_EQ(table.active_count(), 8U);
}

TEST(InitiatorTable, AddressesSpreadOverTheTable) {
  InitiatorTable table(1024);
  std::set<std::uint16_t> places;
  for (unsigned i = 0; i < 512; ++i) {
    places.insert(table.touch(mac(i), at(1)));
  }
  EXPECT_GT(places.size(), 480U) << "half a table of neighbours hardly collides";
}

}  // namespace
}  // namespace aoe::target
