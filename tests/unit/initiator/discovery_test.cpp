#include "initiator/discovery.h"

#include <gtest/gtest.h>

#include <set>

namespace aoe::initiator {
namespace {

constexpr Instant kStart{1'000'000'000};
constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};

TEST(QuerySchedule, IsFastAtFirstAndBacksOffToItsLimitWithJitter) {
  QuerySchedule schedule({.min = Duration::milliseconds(100), .max = Duration::seconds(60)});
  Prng random(1);
  EXPECT_FALSE(schedule.take_due(kStart, random));
  schedule.restart(kStart, QuerySchedule::First::at_once);
  Duration nominal = Duration::milliseconds(100);
  Instant now = kStart;
  std::set<std::int64_t> long_gaps;
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(schedule.take_due(now, random));
    ASSERT_FALSE(schedule.take_due(now, random));
    const Duration gap = *schedule.next() - now;
    EXPECT_GE(gap.ns, nominal.ns * 3 / 4);
    EXPECT_LE(gap.ns, nominal.ns * 5 / 4);
    if (nominal == Duration::seconds(60)) {
      long_gaps.insert(gap.ns);
    }
    nominal = std::min(nominal * 2, Duration::seconds(60));
    now = *schedule.next();
  }
  EXPECT_GT(long_gaps.size(), 5U);
}

TEST(QuerySchedule, ASpreadStartComesWithinTwentyMilliseconds) {
  std::set<std::int64_t> starts;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    Prng random(seed);
    QuerySchedule schedule({.min = Duration::milliseconds(100), .max = Duration::seconds(60)});
    schedule.restart(kStart, QuerySchedule::First::spread);
    EXPECT_FALSE(schedule.take_due(kStart, random));
    const Instant first = *schedule.next();
    EXPECT_LE((first - kStart).ns, Duration::milliseconds(20).ns);
    EXPECT_TRUE(schedule.take_due(first, random));
    starts.insert(first.ns);
  }
  EXPECT_GT(starts.size(), 8U);
}

TEST(TargetTable, TellsNewFromChangedFromKnown) {
  TargetTable table(4);
  const TargetTable::Answer from{kE71, PortId{0}, MacAddress{{2}}};
  protocol::ConfigFrame config{.buffer_count = 16, .sector_count = 2, .string = {}};
  EXPECT_EQ(table.note(kStart, from, config), TargetTable::Change::found);
  EXPECT_EQ(table.note(kStart, from, config), TargetTable::Change::none);
  config.string = as_byte_span("hello");
  EXPECT_EQ(table.note(kStart, from, config), TargetTable::Change::changed);
  EXPECT_EQ(as_text(table.records()[0].config_string()), "hello");
  EXPECT_EQ(table.note(kStart, {kE71, PortId{1}, MacAddress{{2}}}, config),
            TargetTable::Change::found);
}

TEST(TargetTable, TheLongestSilentMakesRoom) {
  TargetTable table(2);
  const protocol::ConfigFrame config{.buffer_count = 16, .string = {}};
  for (std::uint8_t slot = 0; slot < 3; ++slot) {
    table.note(kStart + Duration{slot}, {{Shelf{1}, Slot{slot}}, PortId{0}, MacAddress{{2}}},
               config);
  }
  ASSERT_EQ(table.records().size(), 2U);
  EXPECT_EQ(table.records()[0].address.slot, Slot{2});
  EXPECT_EQ(table.records()[1].address.slot, Slot{1});
}

TEST(Discovery, JoinsQueriesForOneAddressAndSendsOneAPort) {
  Discovery discovery({});
  Prng random(1);
  discovery.ask(kE71, 0b101);
  discovery.ask(kE71, 0b100);
  discovery.ask(kE71, 0);
  ASSERT_TRUE(discovery.has_query(kStart));
  const Discovery::Query first = discovery.take_query(kStart, random);
  const Discovery::Query second = discovery.take_query(kStart, random);
  EXPECT_EQ(first.port, PortId{0});
  EXPECT_EQ(second.port, PortId{2});
  EXPECT_NE(first.tag.value & 0x80000000U, 0U);
  EXPECT_FALSE(discovery.has_query(kStart));
}

TEST(Discovery, NeverSendsABurst) {
  Discovery discovery({});
  Prng random(1);
  for (std::uint8_t slot = 0; slot < 16; ++slot) {
    discovery.ask({Shelf{7}, Slot{slot}}, 0b11);
  }
  Instant now = kStart;
  std::uint32_t at_once = 0;
  while (discovery.has_query(now)) {
    static_cast<void>(discovery.take_query(now, random));
    ++at_once;
  }
  EXPECT_EQ(at_once, Discovery::kBurst);
  for (std::uint32_t rest = 32 - at_once; rest > 0; --rest) {
    const Instant next = *discovery.next_time();
    EXPECT_EQ(next - now, Discovery::kSpacing);
    now = next;
    ASSERT_TRUE(discovery.has_query(now));
    static_cast<void>(discovery.take_query(now, random));
    EXPECT_FALSE(discovery.has_query(now));
  }
  EXPECT_FALSE(discovery.next_time().has_value());
}

}  // namespace
}  // namespace aoe::initiator
