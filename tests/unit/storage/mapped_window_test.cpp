#include "storage/mapped_window.h"

#include "os/mapped_memory.h"
#include "os/memory_file.h"
#include "support/store_driver.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <utility>
#include <vector>

namespace aoe::storage {
namespace {

using aoe::testing::pattern;

// A file without a name lives where those of tmpfs do.
class MappedWindows : public ::testing::Test {
 protected:
  void SetUp() override { resize_file(64 * page_); }

  void resize_file(std::uint64_t bytes) {
    ASSERT_EQ(::ftruncate(file_.fd(), static_cast<off_t>(bytes)), 0);
  }

  void write_file(std::uint64_t offset_bytes, std::span<const std::byte> bytes) const {
    ASSERT_TRUE(file_.write(offset_bytes, bytes));
  }

  std::vector<std::byte> read_file(std::uint64_t offset_bytes, std::size_t bytes) const {
    std::vector<std::byte> into(bytes);
    EXPECT_EQ(file_.read(offset_bytes, into).value(), bytes);
    return into;
  }

  std::uint64_t file_pages() const {
    struct stat status {};

    EXPECT_EQ(::fstat(file_.fd(), &status), 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512 / page_;
  }

  MappedWindow window(std::uint64_t offset_bytes = 0, Access access = Access::read_write) const {
    return {file_.fd(), offset_bytes, 64 * page_ - offset_bytes, access};
  }

  std::size_t page_ = os::page_bytes();
  os::MemoryFile file_ = os::MemoryFile::create("mapped window").value();
  std::vector<std::byte> data_ = pattern(page_, 1);
  std::vector<std::byte> into_ = std::vector<std::byte>(page_);
};

TEST_F(MappedWindows, WhatTheFileHasIsMovedBothWays) {
  write_file(3 * page_, data_);
  MappedWindow mapped = window();
  ASSERT_TRUE(mapped.read(3 * page_, into_));
  EXPECT_EQ(into_, data_);
  const auto other = pattern(512, 2);
  ASSERT_TRUE(mapped.write(3 * page_ + 512, other));
  EXPECT_EQ(read_file(3 * page_ + 512, 512), other);
  EXPECT_EQ(read_file(3 * page_, 512), std::vector(data_.begin(), data_.begin() + 512));
}

TEST_F(MappedWindows, AWindowInsideTheFileHasItsOwnOffsets) {
  const std::uint64_t offset_bytes = 2 * page_ + 512;
  write_file(offset_bytes, data_);
  write_file(offset_bytes + page_, data_);
  MappedWindow mapped = window(offset_bytes);
  ASSERT_TRUE(mapped.read(0, into_));
  EXPECT_EQ(into_, data_);
  ASSERT_TRUE(mapped.write(512, std::span(data_).first(512)));
  EXPECT_EQ(read_file(offset_bytes + 512, 512), std::vector(data_.begin(), data_.begin() + 512));
}

TEST_F(MappedWindows, HolesAreNeitherReadNorFilled) {
  write_file(3 * page_, data_);
  const std::uint64_t before = file_pages();
  MappedWindow mapped = window();
  EXPECT_FALSE(mapped.read(0, into_));
  EXPECT_FALSE(mapped.write(0, data_));
  EXPECT_FALSE(mapped.read(3 * page_ - 512, into_)) << "half of it lies in a hole";
  EXPECT_FALSE(mapped.write(3 * page_ + 512, data_)) << "half of it lies in a hole";
  EXPECT_EQ(file_pages(), before);
  EXPECT_EQ(read_file(3 * page_, page_), data_);
  // The hole is filled by somebody: it is seen.
  write_file(2 * page_, data_);
  EXPECT_TRUE(mapped.read(2 * page_, into_));
}

TEST_F(MappedWindows, HolesMadeLaterAreAskedForAgain) {
  for (std::uint64_t page = 0; page < 64; ++page) {
    write_file(page * page_, data_);
  }
  MappedWindow mapped = window();
  for (std::uint64_t page = 0; page < 64; ++page) {
    ASSERT_TRUE(mapped.read(page * page_, into_));
  }
  ASSERT_EQ(::fallocate(file_.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        static_cast<off_t>(5 * page_), static_cast<off_t>(40 * page_)),
            0);
  mapped.forget(5 * page_, 40 * page_);
  for (std::uint64_t page = 0; page < 64; ++page) {
    EXPECT_EQ(mapped.read(page * page_, into_), page < 5 || page >= 45) << page;
  }
  EXPECT_EQ(file_pages(), 24U);
  // Nothing beyond the window is forgotten, and nothing is a range, too.
  mapped.forget(63 * page_, 1000 * page_);
  mapped.forget(100 * page_, page_);
  mapped.forget(0, 0);
  EXPECT_TRUE(mapped.read(63 * page_, into_));
}

TEST_F(MappedWindows, AFileThatWasCutIsRefusedAndFoundAgain) {
  write_file(10 * page_, data_);
  MappedWindow mapped = window();
  ASSERT_TRUE(mapped.read(10 * page_, into_));
  resize_file(4 * page_);
  EXPECT_FALSE(mapped.read(10 * page_, into_));
  EXPECT_FALSE(mapped.write(10 * page_, data_));
  resize_file(64 * page_);
  EXPECT_FALSE(mapped.read(10 * page_, into_)) << "a hole";
  write_file(10 * page_, data_);
  EXPECT_TRUE(mapped.read(10 * page_, into_));
}

TEST_F(MappedWindows, GrowsWithTheFile) {
  resize_file(128 * page_);
  write_file(100 * page_, data_);
  MappedWindow mapped = window();
  EXPECT_FALSE(mapped.read(100 * page_, into_));
  mapped.resize(128 * page_);
  ASSERT_TRUE(mapped.read(100 * page_, into_));
  EXPECT_EQ(into_, data_);
  mapped.resize(0);
  EXPECT_FALSE(mapped.read(100 * page_, into_));
}

TEST_F(MappedWindows, RefusesWhatLiesOutside) {
  write_file(63 * page_, data_);
  MappedWindow mapped = window();
  EXPECT_TRUE(mapped.read(63 * page_, into_));
  EXPECT_FALSE(mapped.read(63 * page_ + 512, into_));
  EXPECT_FALSE(mapped.read(64 * page_, into_));
  EXPECT_FALSE(mapped.read(~std::uint64_t{0} - 2 * page_, into_));
  mapped.prefetch(64 * page_, 512);
  mapped.prefetch(~std::uint64_t{0}, 512);
}

TEST_F(MappedWindows, ReadOnlyAndMissingOnesRefuse) {
  write_file(0, data_);
  MappedWindow read_only = window(0, Access::read_only);
  EXPECT_TRUE(read_only.read(0, into_));
  EXPECT_FALSE(read_only.write(0, data_));
  MappedWindow none;
  EXPECT_FALSE(none.read(0, into_));
  EXPECT_FALSE(none.write(0, data_));
  none.resize(page_);
  none.prefetch(0, 512);
  EXPECT_FALSE(none.read(0, into_));
  MappedWindow huge(file_.fd(), 0, (std::uint64_t{1} << 40U) + 512, Access::read_write);
  EXPECT_FALSE(huge.read(0, into_));
}

TEST_F(MappedWindows, MovedFromOnesRefuse) {
  write_file(0, data_);
  MappedWindow first = window();
  MappedWindow second(std::move(first));
  EXPECT_FALSE(first.read(0, into_));  // NOLINT(bugprone-use-after-move): what it is about
  EXPECT_TRUE(second.read(0, into_));
  second = MappedWindow();
  EXPECT_FALSE(second.read(0, into_));
}

class MappedWindowTimes : public MappedWindows {
 protected:
  void SetUp() override {
    MappedWindows::SetUp();
    write_file(0, data_);
  }

  void set_time_long_ago() const {
    const std::array<timespec, 2> times{timespec{.tv_sec = kLongAgo, .tv_nsec = 0},
                                        timespec{.tv_sec = kLongAgo, .tv_nsec = 0}};
    ASSERT_EQ(::futimens(file_.fd(), times.data()), 0);
  }

  struct stat status() const {
    struct stat status {};

    EXPECT_EQ(::fstat(file_.fd(), &status), 0);
    return status;
  }

  static constexpr std::time_t kLongAgo = 1'000'000'000;
};

TEST_F(MappedWindowTimes, AWriteIsStampedAndAReadIsNot) {
  MappedWindow mapped = window();
  // The first write through a page is seen by the kernel, further ones are not.
  ASSERT_TRUE(mapped.write(0, data_));
  mapped.stamp_change();
  set_time_long_ago();
  ASSERT_TRUE(mapped.read(0, into_));
  mapped.stamp_change();
  EXPECT_EQ(status().st_mtim.tv_sec, kLongAgo);
  ASSERT_TRUE(mapped.write(0, data_));
  EXPECT_EQ(status().st_mtim.tv_sec, kLongAgo);
  mapped.stamp_change();
  EXPECT_GT(status().st_mtim.tv_sec, kLongAgo);
  EXPECT_EQ(status().st_atim.tv_sec, kLongAgo);
}

TEST_F(MappedWindowTimes, TheLastWriteIsStampedWhenTheWindowGoes) {
  {
    MappedWindow mapped = window();
    ASSERT_TRUE(mapped.write(0, data_));
    set_time_long_ago();
    ASSERT_TRUE(mapped.write(0, data_));
  }
  EXPECT_GT(status().st_mtim.tv_sec, kLongAgo);
}

}  // namespace
}  // namespace aoe::storage
