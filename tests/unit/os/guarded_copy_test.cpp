#include "os/guarded_copy.h"

#include "os/mapped_memory.h"
#include "os/memory_file.h"

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <span>
#include <thread>
#include <vector>

namespace aoe::os {
namespace {

// Two pages of a file, mapped.
class GuardedCopy : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::ftruncate(file_.fd(), static_cast<off_t>(2 * page_)), 0);
    void* const address =
        ::mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_SHARED, file_.fd(), 0);
    ASSERT_NE(address, MAP_FAILED);  // NOLINT(performance-no-int-to-ptr): the macro's own cast
    mapped_ = std::span(static_cast<std::byte*>(address), 2 * page_);
  }

  void TearDown() override { ::munmap(mapped_.data(), mapped_.size()); }

  void cut_file() { ASSERT_EQ(::ftruncate(file_.fd(), static_cast<off_t>(page_)), 0); }

  std::size_t page_ = page_bytes();
  MemoryFile file_ = MemoryFile::create("guarded copy").value();
  std::span<std::byte> mapped_;
};

TEST_F(GuardedCopy, MovesBytesBothWays) {
  const std::vector<std::byte> out(page_, std::byte{7});
  std::vector<std::byte> in(page_);
  EXPECT_TRUE(copy_guarded(mapped_.subspan(100), out));
  EXPECT_TRUE(copy_guarded(in, mapped_.subspan(100, page_)));
  EXPECT_EQ(in, out);
  EXPECT_EQ(mapped_[99], std::byte{});
  EXPECT_EQ(mapped_[100 + page_], std::byte{});
  EXPECT_TRUE(copy_guarded(in, {}));
}

TEST_F(GuardedCopy, PagesThatAreGoneAreAnAnswer) {
  const std::vector<std::byte> out(page_, std::byte{7});
  std::vector<std::byte> in(page_);
  cut_file();
  // As often as it happens: the first must not leave the signal blocked.
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(copy_guarded(in, mapped_.subspan(page_)));
    EXPECT_FALSE(copy_guarded(mapped_.subspan(page_), out));
    EXPECT_FALSE(copy_guarded(in, mapped_.subspan(page_ / 2, page_)));
    EXPECT_TRUE(copy_guarded(mapped_, out));
    EXPECT_TRUE(copy_guarded(in, mapped_.first(page_)));
    EXPECT_EQ(in, out);
  }
}

TEST_F(GuardedCopy, EachThreadHasItsOwnWayBack) {
  cut_file();
  const auto copy_often = [&](std::span<std::byte> from, bool is_there) {
    std::vector<std::byte> in(page_);
    int wrong = 0;
    for (int i = 0; i < 2000; ++i) {
      wrong += copy_guarded(in, from) == is_there ? 0 : 1;
    }
    return wrong;
  };
  int wrong_gone = -1;
  std::thread other([&] { wrong_gone = copy_often(mapped_.subspan(page_), false); });
  const int wrong_there = copy_often(mapped_.first(page_), true);
  other.join();
  EXPECT_EQ(wrong_gone, 0);
  EXPECT_EQ(wrong_there, 0);
}

using GuardedCopyDeathTest = GuardedCopy;

// What is no copy of ours ends the process as it would without a guard. (A death by the handler of
// a sanitizer is none by signal, so all that is asked is that it ends.)
TEST_F(GuardedCopyDeathTest, OtherFaultsEndTheProcess) {
  std::vector<std::byte> in(page_);
  cut_file();
  EXPECT_FALSE(copy_guarded(in, mapped_.subspan(page_)));
  EXPECT_DEATH(mapped_[page_] = std::byte{1}, "");
  EXPECT_DEATH((void)::raise(SIGBUS), "");
}

}  // namespace
}  // namespace aoe::os
