#include "frontends/block/front_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace aoe::block {
namespace {

using ::testing::HasSubstr;

FrontEnd front_end(std::string_view name, Result<void> (*check)()) {
  FrontEnd made{};
  made.name = name;
  made.check = check;
  return made;
}

Result<void> works() {
  return {};
}

Result<void> is_missing() {
  return fail_with(Errc::unsupported, 0, "not in this kernel");
}

TEST(BlockFrontEnds, AutoTakesTheFirstThatWorksAndSaysWhatItPassedOver) {
  const std::array table{front_end("best", is_missing), front_end("good", works),
                         front_end("poor", works)};
  const auto choice = choose("auto", table);
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->front_end->name, "good");
  EXPECT_EQ(choice->passed_over, "no best: not in this kernel");
}

TEST(BlockFrontEnds, OneThatIsAskedForIsNotReplaced) {
  const std::array table{front_end("best", is_missing), front_end("good", works)};
  const auto good = choose("good", table);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->front_end->name, "good");
  EXPECT_EQ(good->passed_over, "");
  const auto best = choose("best", table);
  ASSERT_FALSE(best);
  EXPECT_EQ(best.error().code, Errc::unsupported);
  EXPECT_EQ(best.error().message, "no best: not in this kernel");
}

TEST(BlockFrontEnds, NoneWorksOrNoneHasTheName) {
  const std::array table{front_end("best", is_missing), front_end("good", is_missing)};
  const auto none = choose("auto", table);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::unsupported);
  EXPECT_THAT(none.error().message, HasSubstr("no best: "));
  EXPECT_THAT(none.error().message, HasSubstr("no good: "));
  const auto unknown = choose("floppy", table);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::invalid_argument);
  EXPECT_EQ(unknown.error().message, "\"floppy\": expected auto, best, good");
}

TEST(BlockFrontEnds, TheTableHasTheNamesOfTheManual) {
  for (const char* name : {"ublk", "nbd", "loop"}) {
    EXPECT_NE(find_front_end(name), nullptr) << name;
  }
  EXPECT_EQ(find_front_end("auto"), nullptr);
}

}  // namespace
}  // namespace aoe::block
