#include "initiatord/err_log.h"

#include <gtest/gtest.h>

namespace aoe::initiatord {
namespace {

TEST(ErrLog, EachReaderGoesOnWhereItWas) {
  ErrLog log;
  EXPECT_EQ(log.last(), 0U);
  EXPECT_EQ(log.first_after(0), 0U);
  log.add("one\n");
  log.add("two\n");
  EXPECT_EQ(log.last(), 2U);
  EXPECT_EQ(log.line(log.first_after(0)), "one\n");
  EXPECT_EQ(log.line(log.first_after(1)), "two\n");
  EXPECT_EQ(log.first_after(2), 0U);
}

TEST(ErrLog, TheOldestMakeRoom) {
  ErrLog log;
  for (int i = 1; i <= 3000; ++i) {
    log.add(std::to_string(i));
  }
  EXPECT_EQ(log.line(log.first_after(0)), "1977");
  EXPECT_EQ(log.line(log.first_after(2998)), "2999");
  EXPECT_EQ(log.first_after(3000), 0U);
}

}  // namespace
}  // namespace aoe::initiatord
