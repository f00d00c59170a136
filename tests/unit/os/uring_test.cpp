#include "os/uring.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace aoe::os {
namespace {

TEST(Uring, RefusesOperationsThatAreNoFileIo) {
  auto opened = Uring::open(4);
  if (!opened) {
    GTEST_SKIP() << opened.error().message;
  }
  opened->enable();
  io_uring_sqe* sqe = io_uring_get_sqe(&opened->ring());
  ASSERT_NE(sqe, nullptr);
  io_uring_prep_nop(sqe);
  ASSERT_EQ(io_uring_submit(&opened->ring()), 1);
  io_uring_cqe* cqe = nullptr;
  ASSERT_EQ(io_uring_wait_cqe(&opened->ring(), &cqe), 0);
  EXPECT_EQ(cqe->res, -EACCES);
}

TEST(Uring, ImpossibleSizeIsAnErrorWithTheNumber) {
  const auto opened = Uring::open(1U << 30U);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("1073741824"), std::string::npos);
}

}  // namespace
}  // namespace aoe::os
