#include "storage/memory_store.h"

#include "storage/null_store.h"
#include "support/store_driver.h"

#include <gtest/gtest.h>

#include <memory>

namespace aoe::storage {
namespace {

using testing::is_all_zero;
using testing::pattern;
using testing::StoreDriver;

constexpr std::uint64_t kMiB = 1U << 20U;

TEST(MemoryStore, ReadsBackWhatWasWrittenAndZerosElsewhere) {
  auto store = MemoryStore::open(kMiB, 16).value();
  StoreDriver driver(*store);
  auto data = pattern(1536, 1);
  std::vector<std::byte> read(2560);
  EXPECT_EQ(driver.write(512, data), StoreErrc::ok);
  EXPECT_EQ(driver.read(0, read), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(std::span(read).first(512)));
  EXPECT_TRUE(std::equal(data.begin(), data.end(), read.begin() + 512));
  EXPECT_TRUE(is_all_zero(std::span(read).last(512)));
}

TEST(MemoryStore, DiscardZeroesTheRangeAndNothingBesideIt) {
  auto store = MemoryStore::open(kMiB, 16).value();
  StoreDriver driver(*store);
  const std::size_t size = 64 * 1024;

  struct Case {
    std::uint64_t offset;
    std::uint64_t length;
  };

  for (const auto kind : {StoreOpKind::discard, StoreOpKind::write_zeroes}) {
    // Inside a page, across an edge, whole pages, whole pages with both edges, ending on the last
    // byte.
    for (const Case c : {Case{512, 512}, Case{3584, 1024}, Case{4096, 8192}, Case{3584, 9216},
                         Case{0, 512}, Case{size - 512, 512}, Case{0, size}}) {
      auto data = pattern(size, 3);
      std::vector<std::byte> read(size);
      ASSERT_EQ(driver.write(0, data), StoreErrc::ok);
      ASSERT_EQ(driver.range(kind, c.offset, c.length), StoreErrc::ok);
      ASSERT_EQ(driver.read(0, read), StoreErrc::ok);
      std::fill_n(data.begin() + static_cast<std::ptrdiff_t>(c.offset), c.length, std::byte{});
      EXPECT_EQ(read, data) << c.offset << "+" << c.length;
    }
  }
}

TEST(MemoryStore, CompletesStableOperationsAndFlushes) {
  auto store = MemoryStore::open(kMiB, 16).value();
  StoreDriver driver(*store);
  auto data = pattern(512, 1);
  EXPECT_FALSE(store->info().is_volatile);
  EXPECT_EQ(driver.write(kMiB - 512, data, Durability::stable), StoreErrc::ok);
  EXPECT_EQ(driver.flush(), StoreErrc::ok);
  EXPECT_EQ(store->stats().writes, 1U);
  EXPECT_EQ(store->stats().write_bytes, 512U);
  EXPECT_EQ(store->stats().flushes, 1U);
  EXPECT_EQ(store->describe(), "memory:1M");
  EXPECT_EQ(store->refresh().value(), kMiB);
}

TEST(MemoryStore, ImpossibleSizeIsAnError) {
  const auto store = MemoryStore::open(NullStore::kSizeMaxBytes, 16);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::no_space);
  EXPECT_NE(store.error().message.find("memory:128P"), std::string::npos);
}

TEST(MemoryStore, HandsOutNoMoreThanAskedFor) {
  auto store = MemoryStore::open(kMiB, 16).value();
  StoreDriver driver(*store);
  for (int i = 0; i < 16; ++i) {
    driver.add_flush();
  }
  EXPECT_TRUE(driver.finish());
  EXPECT_EQ(driver.done.size(), 16U);
  EXPECT_EQ(driver.duplicates, 0U);
}

TEST(NullStore, ReadsZerosUpToTheLastSectorThereCanBe) {
  NullStore store(NullStore::kSizeMaxBytes, 16);
  StoreDriver driver(store);
  auto data = pattern(512, 1);
  EXPECT_EQ(driver.write(NullStore::kSizeMaxBytes - 512, data), StoreErrc::ok);
  EXPECT_EQ(driver.read(NullStore::kSizeMaxBytes - 512, data), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(data));
  EXPECT_EQ(driver.range(StoreOpKind::discard, 0, NullStore::kSizeMaxBytes), StoreErrc::ok);
  EXPECT_EQ(store.describe(), "null:128P");
}

}  // namespace
}  // namespace aoe::storage
