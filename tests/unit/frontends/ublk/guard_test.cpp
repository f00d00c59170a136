#include "frontends/ublk/guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::ublk {
namespace {

using ::testing::_;
using ::testing::ElementsAre;

TEST(UblkGuard, TheReadyLineIsReadBack) {
  const auto line = parse_ready_line(to_string(ReadyLine{12, "DISK 1"}));
  ASSERT_TRUE(line);
  EXPECT_EQ(line->number, 12U);
  EXPECT_EQ(line->serial, "DISK 1");
  EXPECT_EQ(parse_ready_line("3 ")->serial, "");
  EXPECT_FALSE(parse_ready_line(""));
  EXPECT_FALSE(parse_ready_line("3"));
  EXPECT_FALSE(parse_ready_line("x DISK"));
}

TEST(UblkGuard, TheNextServerTakesTheSameDiskOnly) {
  EXPECT_THAT(resume_arguments("aoe://eth1/e7.1", {3, "S1"}),
              ElementsAre(_, "--foreground", "--resume", "3", "aoe://eth1/e7.1?serial=S1"));
  EXPECT_THAT(resume_arguments("aoe://eth1/e7.1?timeout=5", {3, "S1"}),
              ElementsAre(_, _, _, _, "aoe://eth1/e7.1?timeout=5&serial=S1"));
  EXPECT_THAT(resume_arguments("aoe://eth1/e7.1?serial=S2", {3, "S1"}),
              ElementsAre(_, _, _, _, "aoe://eth1/e7.1?serial=S2"));
  // Nothing to go by, or nothing that an URI can say.
  EXPECT_THAT(resume_arguments("aoe://eth1/e7.1", {3, ""}),
              ElementsAre(_, _, _, _, "aoe://eth1/e7.1"));
  EXPECT_THAT(resume_arguments("aoe://eth1/e7.1", {3, "S&1"}),
              ElementsAre(_, _, _, _, "aoe://eth1/e7.1"));
}

}  // namespace
}  // namespace aoe::ublk
