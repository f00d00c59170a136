#include "target/event_log.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace aoe::target {
namespace {

TargetEvent event(EventKind kind, std::uint64_t value) {
  TargetEvent made;
  made.kind = kind;
  made.value = value;
  return made;
}

std::vector<std::uint64_t> values_of(EventLog& log) {
  std::vector<std::uint64_t> values;
  while (const auto next = log.next()) {
    values.push_back(next->value);
  }
  return values;
}

TEST(EventLog, TheFirstOfABurstAreKeptAndTheRestCounted) {
  EventLog log(3);
  for (std::uint64_t i = 0; i < 5; ++i) {
    log.add(event(EventKind::size_changed, i));
  }
  EXPECT_EQ(log.lost(), 2U);
  EXPECT_EQ(values_of(log), (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_TRUE(log.empty());
}

TEST(EventLog, NobodyWaitsForeverForAnExportThatServesOrIsGone) {
  EventLog log(2);
  log.add(event(EventKind::size_changed, 0));
  log.add(event(EventKind::size_changed, 1));
  log.add(event(EventKind::export_ready, 2));
  log.add(event(EventKind::size_changed, 3));
  log.add(event(EventKind::address_conflict, 4));
  log.add(event(EventKind::export_removed, 5));
  EXPECT_EQ(log.lost(), 1U);
  EXPECT_EQ(values_of(log), (std::vector<std::uint64_t>{0, 1, 2, 4, 5}));
}

TEST(EventLog, NothingOvertakesWhatCameBefore) {
  EventLog log(2);
  for (std::uint64_t i = 0; i < 4; ++i) {
    log.add(event(EventKind::export_ready, i));
  }
  ASSERT_EQ(log.next()->value, 0U);
  log.add(event(EventKind::export_removed, 4));  // the queue has room again
  std::array<TargetEvent, 2> two;
  ASSERT_EQ(log.poll(two), 2U);
  EXPECT_EQ(two[0].value, 1U);
  EXPECT_EQ(two[1].value, 2U);
  EXPECT_FALSE(log.empty());
  EXPECT_EQ(values_of(log), (std::vector<std::uint64_t>{3, 4}));
  log.add(event(EventKind::size_changed, 5));
  EXPECT_EQ(values_of(log), (std::vector<std::uint64_t>{5})) << "there is room for all again";
}

}  // namespace
}  // namespace aoe::target
