// Files that live in memory, which are copied from and to where they lie.
#include "os/mapped_memory.h"
#include "os/memory_file.h"
#include "storage/file_store.h"
#include "support/store_driver.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace aoe::storage {
namespace {

using aoe::testing::is_all_zero;
using aoe::testing::pattern;
using aoe::testing::StoreDriver;

class MemoryFileStores : public ::testing::Test {
 protected:
  void SetUp() override { resize_file(kSize); }

  std::unique_ptr<FileStore> open(const StoreOptions& options = {}) {
    return FileStore::open(path_, options, *engine_).value();
  }

  void resize_file(std::uint64_t bytes) const {
    ASSERT_EQ(::ftruncate(file_.fd(), static_cast<off_t>(bytes)), 0);
  }

  std::uint64_t file_pages() const {
    struct stat status {};

    EXPECT_EQ(::fstat(file_.fd(), &status), 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512 / page_;
  }

  static constexpr std::uint64_t kSize = std::uint64_t{1} << 20U;

  std::size_t page_ = os::page_bytes();
  os::MemoryFile file_ = os::MemoryFile::create("store").value();
  std::string path_ = fmt::format("/proc/self/fd/{}", file_.fd());
  std::unique_ptr<IoEngine> engine_ = open_io_engine({}).value().engine;
};

TEST_F(MemoryFileStores, ReadsAndWritesAnswerAtOnceHolesIncluded) {
  auto store = open();
  EXPECT_TRUE(store->info().answers_at_once);
  StoreDriver driver(*store, engine_.get());
  auto data = pattern(3 * page_, 1);
  std::vector<std::byte> read(3 * page_);
  ASSERT_EQ(driver.read(page_, read), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(read));
  EXPECT_EQ(file_pages(), 0U) << "reading fills no hole";
  ASSERT_EQ(driver.write(page_ + 512, data), StoreErrc::ok);
  ASSERT_EQ(driver.read(page_ + 512, read), StoreErrc::ok);
  EXPECT_EQ(read, data);
  auto other = pattern(512, 2);
  ASSERT_EQ(driver.write(2 * page_, other), StoreErrc::ok);
  std::copy(other.begin(), other.end(), data.begin() + static_cast<std::ptrdiff_t>(page_ - 512));
  ASSERT_EQ(driver.read(page_ + 512, read), StoreErrc::ok);
  EXPECT_EQ(read, data);
  std::vector<std::byte> in_file(3 * page_);
  EXPECT_EQ(file_.read(page_ + 512, in_file).value(), in_file.size());
  EXPECT_EQ(in_file, data);
  EXPECT_EQ(store->stats().reads, 3U);
  EXPECT_EQ(store->stats().writes, 2U);
  EXPECT_EQ(store->stats().write_bytes, 3 * page_ + 512);
}

TEST_F(MemoryFileStores, ABatchMayBePartlyInHoles) {
  auto store = open();
  StoreDriver driver(*store, engine_.get());
  auto data = pattern(page_, 3);
  ASSERT_EQ(driver.write(4 * page_, data), StoreErrc::ok);
  std::vector<std::vector<std::byte>> reads(8, std::vector<std::byte>(page_, std::byte{9}));
  for (std::size_t i = 0; i < reads.size(); ++i) {
    driver.add_read(i * page_, reads[i]);
  }
  ASSERT_TRUE(driver.finish());
  for (std::size_t i = 0; i < reads.size(); ++i) {
    EXPECT_EQ(reads[i], i == 4 ? data : std::vector<std::byte>(page_)) << i;
  }
  EXPECT_EQ(driver.duplicates, 0U);
}

TEST_F(MemoryFileStores, WhatWasDiscardedStaysFree) {
  auto store = open();
  StoreDriver driver(*store, engine_.get());
  auto data = pattern(8 * page_, 4);
  std::vector<std::byte> read(8 * page_);
  ASSERT_EQ(driver.write(0, data), StoreErrc::ok);
  ASSERT_EQ(driver.read(0, read), StoreErrc::ok);
  ASSERT_EQ(driver.range(StoreOpKind::discard, 2 * page_, 4 * page_), StoreErrc::ok);
  ASSERT_EQ(driver.read(0, read), StoreErrc::ok);
  std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(2 * page_), 4 * page_, std::byte{});
  EXPECT_EQ(read, data);
  EXPECT_EQ(file_pages(), 4U);
  ASSERT_EQ(driver.range(StoreOpKind::write_zeroes, 512, 7 * page_), StoreErrc::ok);
  ASSERT_EQ(driver.read(512, std::span(read).first(7 * page_)), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(std::span(read).first(7 * page_)));
}

TEST_F(MemoryFileStores, AFileThatWasCutIsTruncatedAndNoEndOfTheProcess) {
  auto store = open();
  StoreDriver driver(*store, engine_.get());
  auto data = pattern(page_, 5);
  ASSERT_EQ(driver.write(kSize - page_, data), StoreErrc::ok);
  ASSERT_EQ(driver.read(kSize - page_, data), StoreErrc::ok);
  resize_file(kSize / 2);
  EXPECT_EQ(driver.read(kSize - page_, data), StoreErrc::truncated);
  EXPECT_EQ(store->refresh().value(), kSize / 2);
  EXPECT_EQ(driver.read(kSize - page_, data), StoreErrc::truncated);
  resize_file(2 * kSize);
  EXPECT_EQ(store->refresh().value(), 2 * kSize);
  ASSERT_EQ(driver.write(2 * kSize - page_, data), StoreErrc::ok);
  std::vector<std::byte> read(page_);
  ASSERT_EQ(driver.read(2 * kSize - page_, read), StoreErrc::ok);
  EXPECT_EQ(read, data);
}

TEST_F(MemoryFileStores, AReadOnlyStoreReadsAndRefusesWrites) {
  auto data = pattern(page_, 6);
  ASSERT_TRUE(file_.write(0, data));
  auto store = open({.access = Access::read_only});
  StoreDriver driver(*store, engine_.get());
  std::vector<std::byte> read(page_);
  ASSERT_EQ(driver.read(0, read), StoreErrc::ok);
  EXPECT_EQ(read, data);
  EXPECT_EQ(driver.write(0, data), StoreErrc::read_only);
}

TEST_F(MemoryFileStores, AFlushSaysWhenTheFileWasChanged) {
  auto data = pattern(page_, 7);
  ASSERT_TRUE(file_.write(0, data));
  auto store = open();
  StoreDriver driver(*store, engine_.get());
  const std::array<timespec, 2> long_ago{timespec{.tv_sec = 1'000'000'000, .tv_nsec = 0},
                                         timespec{.tv_sec = 1'000'000'000, .tv_nsec = 0}};
  const auto changed_at = [&] {
    struct stat status {};

    EXPECT_EQ(::fstat(file_.fd(), &status), 0);
    return status.st_mtim.tv_sec;
  };
  // The first write through a page of a mapping is seen by the kernel, further ones are not.
  ASSERT_EQ(driver.write(0, data), StoreErrc::ok);
  for (const bool by_flush : {true, false}) {
    ASSERT_EQ(::futimens(file_.fd(), long_ago.data()), 0);
    ASSERT_EQ(driver.write(0, data), StoreErrc::ok);
    if (by_flush) {
      ASSERT_EQ(driver.flush(), StoreErrc::ok);
    } else {
      (void)store->look_at_size();  // as is done every second
      ASSERT_TRUE(engine_->drain(Duration::seconds(10)));
    }
    EXPECT_GT(changed_at(), 1'000'000'000) << by_flush;
  }
}

}  // namespace
}  // namespace aoe::storage
