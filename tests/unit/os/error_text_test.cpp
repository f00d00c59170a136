#include "os/error_text.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace aoe::os {
namespace {

TEST(ErrorText, IsLowerCaseLikeTheRestOfAMessage) {
  EXPECT_EQ(error_text(ENOENT), "no such file or directory");
  EXPECT_EQ(error_text(EIO), "input/output error");
}

TEST(ErrorText, UnknownNumberStillGivesAText) {
  EXPECT_FALSE(error_text(99999).empty());
}

TEST(ErrorText, ErrorCarriesCodeNumberAndText) {
  const Error error = os_error(EBUSY, "/dev/sdb: cannot open");
  EXPECT_EQ(error.code, Errc::busy);
  EXPECT_EQ(error.os_errno, EBUSY);
  EXPECT_EQ(error.message, "/dev/sdb: cannot open: device or resource busy");
  EXPECT_EQ(errc_of_errno(EACCES), Errc::not_permitted);
  EXPECT_EQ(errc_of_errno(ENOSPC), Errc::no_space);
  EXPECT_EQ(errc_of_errno(ENOSYS), Errc::unsupported);
  EXPECT_EQ(errc_of_errno(EPIPE), Errc::io);
}

}  // namespace
}  // namespace aoe::os
