#include "target/change_history.h"

#include <gtest/gtest.h>

namespace aoe::target {
namespace {

constexpr ExportId kExport{0x10001};
constexpr MacAddress kSource{{2, 0, 0, 0, 0, 1}};

ChangeHistory::Key key(std::uint32_t tag) {
  return {.export_id = kExport, .source = kSource, .tag = Tag{tag}, .command = 3, .content_crc = 9};
}

class History : public testing::Test {
 public:
  ChangeHistory history{2, Duration::seconds(1)};
  Instant now{1'000'000'000};
};

TEST_F(History, KnowsAChangeForALifetime) {
  EXPECT_FALSE(history.contains(now, key(1)));
  history.add(now, key(1));
  EXPECT_TRUE(history.contains(now, key(1)));
  EXPECT_TRUE(history.contains(now + Duration::milliseconds(999), key(1)));
  EXPECT_FALSE(history.contains(now + Duration::seconds(1), key(1)));
}

TEST_F(History, EveryPartOfTheKeyCounts) {
  history.add(now, key(1));
  EXPECT_FALSE(history.contains(now, key(2)));
  ChangeHistory::Key other = key(1);
  other.export_id = ExportId{0x10002};
  EXPECT_FALSE(history.contains(now, other));
  other = key(1);
  other.source = MacAddress{{2, 0, 0, 0, 0, 2}};
  EXPECT_FALSE(history.contains(now, other));
  other = key(1);
  other.command = 2;
  EXPECT_FALSE(history.contains(now, other));
  other = key(1);
  other.content_crc = 8;
  EXPECT_FALSE(history.contains(now, other));
}

TEST_F(History, LeavesRoomForWhatIsUnderWayAndForgetsNothingEarly) {
  std::uint32_t added = 0;
  while (history.has_room(now)) {
    ASSERT_LT(added, 16U);
    history.add(now, key(++added));
  }
  // Two more that were let in before.
  history.add(now, key(added + 1));
  for (std::uint32_t tag = 1; tag <= added + 1; ++tag) {
    EXPECT_TRUE(history.contains(now, key(tag))) << tag;
  }
  EXPECT_TRUE(history.has_room(now + Duration::seconds(1)));
}

}  // namespace
}  // namespace aoe::target
