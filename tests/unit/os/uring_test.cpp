#include "os/uring.h"

#include "os/fd.h"
#include "os/mapped_memory.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

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

TEST(Uring, FilesOfItsTableNeedNoDescriptorAndCloseWhenTheyLeaveIt) {
  auto opened = Uring::open(4);
  if (!opened) {
    GTEST_SKIP() << opened.error().message;
  }
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const auto early = opened->add_file(writer.get());
  opened->enable();
  const auto late = opened->add_file(writer.get());
  ASSERT_TRUE(early && late);
  EXPECT_NE(*early, *late);
  writer = Fd();

  io_uring_sqe* sqe = io_uring_get_sqe(&opened->ring());
  io_uring_prep_write(sqe, static_cast<int>(*late), "x", 1, 0);
  io_uring_sqe_set_flags(sqe, IOSQE_FIXED_FILE);
  ASSERT_EQ(io_uring_submit(&opened->ring()), 1);
  io_uring_cqe* cqe = nullptr;
  ASSERT_EQ(io_uring_wait_cqe(&opened->ring(), &cqe), 0);
  EXPECT_EQ(cqe->res, 1);
  io_uring_cqe_seen(&opened->ring(), cqe);
  char got = 0;
  EXPECT_EQ(::read(reader.get(), &got, 1), 1);

  pollfd waited{.fd = reader.get(), .events = POLLIN, .revents = 0};
  opened->remove_file(*early);
  EXPECT_EQ(::poll(&waited, 1, 0), 0) << "the other place still holds it";
  opened->remove_file(*late);
  EXPECT_EQ(::poll(&waited, 1, 10'000), 1);
  EXPECT_NE(waited.revents & POLLHUP, 0);
}

TEST(Uring, HeldMemoryIsUsedWithoutAskingForItsPages) {
  auto opened = Uring::open(4);
  auto memory = MappedMemory::allocate(page_bytes(), "test");
  if (!opened) {
    GTEST_SKIP() << opened.error().message;
  }
  ASSERT_TRUE(memory);
  if (!opened->hold_memory(memory->bytes())) {
    GTEST_SKIP() << "no memory may be held (ulimit -l)";
  }
  opened->enable();
  const Fd zeros(::open("/dev/zero", O_RDWR | O_CLOEXEC));
  memory->bytes()[0] = std::byte{1};
  // Whoever asked for the page now would be refused.
  ASSERT_EQ(::mprotect(memory->bytes().data(), memory->bytes().size(), PROT_NONE), 0);
  io_uring_sqe* sqe = io_uring_get_sqe(&opened->ring());
  io_uring_prep_read_fixed(sqe, zeros.get(), memory->bytes().data(), 1, 0, 0);
  ASSERT_EQ(io_uring_submit(&opened->ring()), 1);
  io_uring_cqe* cqe = nullptr;
  ASSERT_EQ(io_uring_wait_cqe(&opened->ring(), &cqe), 0);
  EXPECT_EQ(cqe->res, 1);
  io_uring_cqe_seen(&opened->ring(), cqe);
  ASSERT_EQ(::mprotect(memory->bytes().data(), memory->bytes().size(), PROT_READ), 0);
  EXPECT_EQ(memory->bytes()[0], std::byte{});
}

TEST(Uring, FullTableOfFilesIsNoError) {
  auto opened = Uring::open(4);
  if (!opened) {
    GTEST_SKIP() << opened.error().message;
  }
  const Fd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  unsigned held = 0;
  unsigned last = 0;
  while (const auto place = opened->add_file(file.get())) {
    last = *place;
    ++held;
    ASSERT_LE(held, 1U << 16U);
  }
  EXPECT_GE(held, 16U);
  opened->remove_file(last);
  EXPECT_EQ(opened->add_file(file.get()), last);
}

}  // namespace
}  // namespace aoe::os
