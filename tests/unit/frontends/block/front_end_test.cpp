#include "frontends/block/front_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace aoe::block {
namespace {

using ::testing::HasSubstr;

Result<void> works() {
  return {};
}

Result<void> is_missing() {
  return fail_with(Errc::unsupported, 0, "not in this kernel");
}

Result<std::string> makes_one(const Source& source) {
  return "/dev/" + source.uri;
}

Result<std::string> fails(const Source& /*source*/) {
  return fail_with(Errc::timed_out, 0, "its server says nothing");
}

FrontEnd front_end(std::string_view name, Result<void> (*check)(),
                   Result<std::string> (*attach)(const Source&) = makes_one) {
  FrontEnd made{};
  made.name = name;
  made.check = check;
  made.attach = attach;
  return made;
}

const Source kSource{.uri = "disk0"};

TEST(BlockFrontEnds, AutoTakesTheFirstThatWorksAndSaysWhatItPassedOver) {
  const std::array table{front_end("best", is_missing), front_end("good", works),
                         front_end("poor", works)};
  const auto attached = attach_by("auto", kSource, table);
  ASSERT_TRUE(attached);
  EXPECT_EQ(attached->front_end->name, "good");
  EXPECT_EQ(attached->device, "/dev/disk0");
  EXPECT_EQ(attached->passed_over, "no best: not in this kernel");
}

TEST(BlockFrontEnds, AutoGoesOnWhenOneThatIsThereFails) {
  const std::array table{front_end("best", works, fails), front_end("good", is_missing),
                         front_end("poor", works)};
  const auto attached = attach_by("auto", kSource, table);
  ASSERT_TRUE(attached);
  EXPECT_EQ(attached->front_end->name, "poor");
  EXPECT_EQ(attached->passed_over,
            "best failed: its server says nothing; no good: not in this kernel");
}

TEST(BlockFrontEnds, OneThatIsAskedForIsNotReplaced) {
  const std::array table{front_end("best", is_missing), front_end("good", works),
                         front_end("poor", works, fails)};
  const auto good = attach_by("good", kSource, table);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->front_end->name, "good");
  EXPECT_EQ(good->passed_over, "");
  const auto best = attach_by("best", kSource, table);
  ASSERT_FALSE(best);
  EXPECT_EQ(best.error().code, Errc::unsupported);
  EXPECT_EQ(best.error().message, "no best: not in this kernel");
  const auto poor = attach_by("poor", kSource, table);
  ASSERT_FALSE(poor);
  EXPECT_EQ(poor.error().code, Errc::timed_out);
  EXPECT_EQ(poor.error().message, "its server says nothing");
}

TEST(BlockFrontEnds, NoneWorksOrNoneHasTheName) {
  const std::array table{front_end("best", is_missing), front_end("good", is_missing)};
  const auto none = attach_by("auto", kSource, table);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::unsupported);
  EXPECT_THAT(none.error().message, HasSubstr("no best: "));
  EXPECT_THAT(none.error().message, HasSubstr("no good: "));
  const std::array failing{front_end("best", works, fails), front_end("good", is_missing)};
  const auto failed = attach_by("auto", kSource, failing);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::timed_out);
  EXPECT_THAT(failed.error().message, HasSubstr("best failed: its server says nothing; no good: "));
  const auto unknown = attach_by("floppy", kSource, table);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::invalid_argument);
  EXPECT_EQ(unknown.error().message, "\"floppy\": expected auto, best, good");
}

TEST(BlockFrontEnds, TheNameOfADiskIsReadBack) {
  constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};
  EXPECT_EQ(address_of_source(name_of_source(kE71)), kE71);
  EXPECT_EQ(address_of_source(""), std::nullopt);
  EXPECT_EQ(address_of_source("e7.1"), std::nullopt);
  EXPECT_EQ(address_of_source("aoe:e7.1 and more"), std::nullopt);
}

TEST(BlockFrontEnds, TheTableHasTheNamesOfTheManual) {
  for (const char* name : {"ublk", "nbd", "loop"}) {
    EXPECT_NE(find_front_end(name), nullptr) << name;
  }
  EXPECT_EQ(find_front_end("auto"), nullptr);
}

}  // namespace
}  // namespace aoe::block
