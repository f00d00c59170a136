#include "target/session_table.h"

#include <gtest/gtest.h>

#include <set>

namespace aoe::target {
namespace {

constexpr ExportId kExport{0x10001};
constexpr ExportId kOther{0x10002};

bool nobody_is_busy(std::uint16_t /*index*/) {
  return false;
}

class Table : public testing::Test {
 protected:
  std::uint16_t add(std::uint64_t instance, ExportId export_id, std::int64_t at_seconds) {
    const std::uint16_t index =
        table.make(Instant{} + Duration::seconds(at_seconds), prng, nobody_is_busy);
    table.at(index).initiator_instance = instance;
    table.at(index).export_id = export_id;
    return index;
  }

 public:
  SessionTable table{3};
  Prng prng{1};
};

TEST_F(Table, SessionsAreFoundByIdAndByWhomTheyAreOf) {
  const std::uint16_t a = add(1, kExport, 1);
  const std::uint16_t b = add(1, kOther, 2);
  EXPECT_NE(table.at(a).id, table.at(b).id);
  EXPECT_EQ(table.find(table.at(a).id), a);
  EXPECT_EQ(table.find(table.at(b).id), b);
  EXPECT_EQ(table.find(1, kExport), a);
  EXPECT_EQ(table.find(1, kOther), b);
  EXPECT_EQ(table.find(2, kExport), SessionTable::kNone);
  EXPECT_EQ(table.find(0), SessionTable::kNone);
}

TEST_F(Table, AFullTableReusesTheLongestIdleSession) {
  const std::uint16_t a = add(1, kExport, 1);
  const std::uint16_t b = add(2, kExport, 2);
  (void)add(3, kExport, 3);
  table.at(a).last_used = Instant{} + Duration::seconds(9);
  const std::uint32_t old_id = table.at(b).id;
  const std::uint16_t d = add(4, kExport, 10);
  EXPECT_EQ(d, b);
  EXPECT_EQ(table.find(old_id), SessionTable::kNone) << "frames of the old one are refused";
  EXPECT_EQ(table.find(2, kExport), SessionTable::kNone);
}

TEST_F(Table, BusySessionsAreNotReused) {
  const std::uint16_t a = add(1, kExport, 1);
  const std::uint16_t b = add(2, kExport, 2);
  const std::uint16_t c = add(3, kExport, 3);
  EXPECT_EQ(table.make(Instant{} + Duration::seconds(4), prng,
                       [a](std::uint16_t index) { return index == a; }),
            b);
  EXPECT_EQ(table.make(Instant{} + Duration::seconds(5), prng,
                       [](std::uint16_t /*index*/) { return true; }),
            SessionTable::kNone);
  EXPECT_EQ(table.find(table.at(c).id), c);
}

TEST_F(Table, IdsAreNeverUsedAgainSoon) {
  std::set<std::uint32_t> ids;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    ids.insert(table.at(add(i, kExport, static_cast<std::int64_t>(i))).id);
  }
  // Drawn at random from 2^32: two equal ones among so many are a matter of 1 in 100.
  EXPECT_GE(ids.size(), 9'999U);
}

TEST_F(Table, TheSessionsOfAnExportGoWithIt) {
  const std::uint16_t a = add(1, kExport, 1);
  const std::uint16_t b = add(1, kOther, 2);
  const std::uint32_t id_a = table.at(a).id;
  table.remove_all_of(kExport);
  EXPECT_EQ(table.find(id_a), SessionTable::kNone);
  EXPECT_EQ(table.find(table.at(b).id), b);
}

TEST_F(Table, ASourceIsKnownForTheExportItUsed) {
  const std::uint16_t a = add(1, kExport, 1);
  table.at(a).last_source = MacAddress{{2, 0, 0, 0, 0, 1}};
  EXPECT_TRUE(table.has_source(kExport, MacAddress{{2, 0, 0, 0, 0, 1}}));
  EXPECT_FALSE(table.has_source(kOther, MacAddress{{2, 0, 0, 0, 0, 1}}));
  EXPECT_FALSE(table.has_source(kExport, MacAddress{{2, 0, 0, 0, 0, 2}}));
}

}  // namespace
}  // namespace aoe::target
