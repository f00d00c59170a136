#include "storage/delay_store.h"
#include "storage/error_store.h"
#include "storage/memory_store.h"
#include "storage/readonly_store.h"
#include "storage/stats_store.h"
#include "support/fake_store.h"
#include "support/store_driver.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace aoe::storage {
namespace {

using testing::FakeStore;
using testing::is_all_zero;
using testing::pattern;
using testing::StoreDriver;

constexpr std::uint64_t kMiB = 1U << 20U;

std::unique_ptr<BlockStore> memory() {
  return MemoryStore::open(kMiB, 16).value();
}

TEST(ReadonlyStore, RefusesEveryChangeAndPassesTheRest) {
  ReadonlyStore store(memory());
  EXPECT_TRUE(store.info().is_read_only);
  EXPECT_FALSE(store.info().can_discard);
  EXPECT_FALSE(store.info().can_write_zeroes);
  EXPECT_EQ(store.describe(), "memory:1M (read-only)");
  StoreDriver driver(store);
  auto data = pattern(512, 1);
  auto read = pattern(512, 2);
  const StoreTag first_read = driver.add_read(0, read);
  const StoreTag write = driver.add_write(1024, data);
  const StoreTag discard = driver.add_range(StoreOpKind::discard, 0, 512);
  const StoreTag flush = driver.add_flush();
  const StoreTag zeroes = driver.add_range(StoreOpKind::write_zeroes, 0, 512);
  ASSERT_TRUE(driver.finish());
  EXPECT_EQ(driver.status(first_read), StoreErrc::ok);
  EXPECT_EQ(driver.status(write), StoreErrc::read_only);
  EXPECT_EQ(driver.error_offset(write), 1024U);
  EXPECT_EQ(driver.status(discard), StoreErrc::read_only);
  EXPECT_EQ(driver.status(flush), StoreErrc::ok);
  EXPECT_EQ(driver.status(zeroes), StoreErrc::read_only);
  EXPECT_EQ(store.stats().writes, 0U);
  EXPECT_EQ(driver.duplicates, 0U);
}

TEST(DelayStore, HoldsOperationsBackForTheirTime) {
  DelayStore store(memory(), {.fixed = Duration::milliseconds(5), .jitter = {}});
  StoreDriver driver(store);
  auto data = pattern(512, 1);
  EXPECT_EQ(store.poll_timeout(), std::nullopt);
  const StoreTag tag = driver.add_write(0, data);
  driver.send();
  driver.poll();
  EXPECT_FALSE(driver.is_done(tag));
  EXPECT_EQ(store.poll_timeout(), driver.now + Duration::milliseconds(5));
  EXPECT_EQ(store.stats().writes, 0U) << "not visible early";
  driver.now = driver.now + Duration::microseconds(4999);
  driver.poll();
  EXPECT_FALSE(driver.is_done(tag));
  driver.now = driver.now + Duration::microseconds(1);
  driver.poll();
  EXPECT_EQ(driver.status(tag), StoreErrc::ok);
  EXPECT_EQ(store.poll_timeout(), std::nullopt);
}

TEST(DelayStore, EqualDelaysKeepTheOrderAndJitterBreaksItTheSameWayEachTime) {
  const auto order_with = [](const DelayOptions& options) {
    DelayStore store(memory(), options);
    StoreDriver driver(store);
    for (int i = 0; i < 10; ++i) {
      driver.add_flush();
    }
    driver.send();
    while (const auto due = store.poll_timeout()) {
      EXPECT_LE(*due, Instant{1'000'000'000} + options.fixed + options.jitter);
      driver.now = *due;
      driver.poll();
    }
    std::vector<std::uint32_t> order;
    for (const StoreTag tag : driver.order) {
      order.push_back(tag.value);
    }
    return order;
  };
  const auto steady = order_with({.fixed = Duration::milliseconds(1), .jitter = {}});
  EXPECT_EQ(steady.size(), 10U);
  EXPECT_TRUE(std::is_sorted(steady.begin(), steady.end()));
  const DelayOptions shaky{
      .fixed = Duration::milliseconds(1), .jitter = Duration::milliseconds(9), .seed = 3};
  const auto first = order_with(shaky);
  EXPECT_EQ(first.size(), 10U);
  EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
  EXPECT_EQ(first, order_with(shaky));
}

TEST(ErrorStore, FailsTheKindRangeAndNumberItWasTold) {
  ErrorStore store(memory(), {{.kind = StoreOpKind::write,
                               .begin_bytes = 4096,
                               .end_bytes = 8192,
                               .skip = 1,
                               .count = 2,
                               .errc = StoreErrc::no_space}});
  StoreDriver driver(store);
  auto data = pattern(1024, 1);
  EXPECT_EQ(driver.write(0, data), StoreErrc::ok);
  EXPECT_EQ(driver.write(8192, data), StoreErrc::ok);
  EXPECT_EQ(driver.read(4096, data), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(data));
  data = pattern(1024, 1);
  EXPECT_EQ(driver.write(4096, data), StoreErrc::ok) << "skipped";
  const StoreTag crossing = driver.add_write(4096 - 512, data);
  ASSERT_TRUE(driver.finish());
  EXPECT_EQ(driver.status(crossing), StoreErrc::no_space);
  EXPECT_EQ(driver.error_offset(crossing), 4096U);
  EXPECT_EQ(driver.write(7680, data), StoreErrc::no_space);
  EXPECT_EQ(driver.write(7680, data), StoreErrc::ok) << "used up";
  EXPECT_EQ(store.stats().errors, 2U);
}

TEST(ErrorStore, FailsInTheMiddleOfABatchAndDoesNotDoWhatItFails) {
  ErrorStore store(memory(), {});
  StoreDriver driver(store);
  store.add_rule({.begin_bytes = 512, .end_bytes = 1024, .errc = StoreErrc::io});
  store.add_rule({.kind = StoreOpKind::flush, .errc = StoreErrc::sync_failed});
  auto data = pattern(512, 1);
  const StoreTag a = driver.add_write(0, data);
  const StoreTag b = driver.add_write(512, data);
  const StoreTag c = driver.add_write(1024, data);
  const StoreTag d = driver.add_flush();
  ASSERT_TRUE(driver.finish());
  EXPECT_EQ(driver.status(a), StoreErrc::ok);
  EXPECT_EQ(driver.status(b), StoreErrc::io);
  EXPECT_EQ(driver.status(c), StoreErrc::ok);
  EXPECT_EQ(driver.status(d), StoreErrc::io) << "the first rule that matches decides";
  store.clear_rules();
  EXPECT_EQ(driver.read(512, data), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(data));
}

TEST(StatsStore, MeasuresFromSubmitToCompletionByKindAndStatus) {
  auto inner = std::make_unique<FakeStore>();
  FakeStore& disk = *inner;
  StatsStore store(std::move(inner));
  StoreDriver driver(store);
  std::array<std::byte, 512> data{};
  const StoreTag write = driver.add_write(0, data);
  const StoreTag read = driver.add_read(512, data);
  driver.send();
  EXPECT_EQ(store.in_flight(), 2U);
  driver.now = driver.now + Duration::microseconds(100);
  disk.complete(StoreOpKind::write);
  driver.poll();
  driver.now = driver.now + Duration::microseconds(100);
  disk.complete(StoreOpKind::read, StoreErrc::io);
  driver.poll();
  EXPECT_EQ(driver.status(write), StoreErrc::ok);
  EXPECT_EQ(driver.status(read), StoreErrc::io);
  EXPECT_EQ(driver.error_offset(read), 512U);
  EXPECT_EQ(store.latency(StoreOpKind::write).max(), Duration::microseconds(100));
  EXPECT_EQ(store.latency(StoreOpKind::read).max(), Duration::microseconds(200));
  EXPECT_EQ(store.latency(StoreOpKind::flush).count(), 0U);
  EXPECT_EQ(store.completed(StoreErrc::ok), 1U);
  EXPECT_EQ(store.completed(StoreErrc::io), 1U);
  EXPECT_EQ(store.in_flight(), 0U);
}

}  // namespace
}  // namespace aoe::storage
