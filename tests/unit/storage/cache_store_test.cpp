#include "storage/cache_store.h"

#include "base/prng.h"
#include "support/fake_store.h"
#include "support/sim_disk.h"
#include "support/store_driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace aoe::storage {
namespace {

using testing::FakeStore;
using testing::pattern;
using testing::StoreDriver;

constexpr std::uint64_t kBlock = BlockCache::kBlockBytes;
constexpr std::uint64_t kCacheBytes = std::uint64_t{1} << 20U;

class CacheStoreTest : public ::testing::Test {
 protected:
  CacheStoreTest() {
    auto below = std::make_unique<FakeStore>(300);
    disk_ = below.get();
    auto made = CacheStore::make(std::move(below), kCacheBytes);
    store_ = std::move(made.value());
    driver_ = std::make_unique<StoreDriver>(*store_);
  }

  // Gives the reads that wait below their bytes, made from the offset.
  void answer_reads(unsigned seed = 1) {
    for (const StoreOp& op : disk_->in_flight) {
      if (op.kind == StoreOpKind::read) {
        fill(op, seed);
      }
    }
    while (disk_->count(StoreOpKind::read) != 0) {
      disk_->complete(StoreOpKind::read);
    }
    driver_->poll();
  }

  static void fill(const StoreOp& op, unsigned seed) {
    for (std::size_t i = 0; i < op.data.size(); ++i) {
      op.data[i] = byte_at(op.offset_bytes + i, seed);
    }
  }

  static std::byte byte_at(std::uint64_t offset, unsigned seed) {
    return static_cast<std::byte>((offset / kSectorBytes * 7 + seed) & 0xFFU);
  }

  // What a read of one sector finds without asking the disk; nothing if it has to ask.
  std::optional<std::byte> held(std::uint64_t sector) {
    std::vector<std::byte> got(kSectorBytes);
    const std::size_t before = disk_->seen.size();
    const StoreTag tag = driver_->add_read(sector * kSectorBytes, got);
    driver_->send();
    driver_->poll();
    if (disk_->seen.size() != before) {
      answer_reads(99);
      return std::nullopt;
    }
    EXPECT_TRUE(driver_->is_done(tag));
    return got[0];
  }

  FakeStore* disk_ = nullptr;
  std::unique_ptr<CacheStore> store_;
  std::unique_ptr<StoreDriver> driver_;
};

TEST_F(CacheStoreTest, MissReadsWholeBlocksAndTheNextReadIsAHit) {
  std::vector<std::byte> got(1024);
  const StoreTag tag = driver_->add_read(kBlock + 512, got);
  driver_->send();
  ASSERT_EQ(disk_->in_flight.size(), 1U);
  EXPECT_EQ(disk_->in_flight[0].offset_bytes, kBlock);
  EXPECT_EQ(disk_->in_flight[0].length_bytes, kBlock);
  answer_reads();
  ASSERT_TRUE(driver_->is_done(tag));
  EXPECT_EQ(got[0], byte_at(kBlock + 512, 1));
  EXPECT_EQ(got[1023], byte_at(kBlock + 1535, 1));
  EXPECT_EQ(held(8), byte_at(kBlock, 1));
  EXPECT_EQ(held(15), byte_at(kBlock + 7 * kSectorBytes, 1));
  EXPECT_EQ(store_->stats().cache_hits, 2U);
  EXPECT_EQ(store_->stats().cache_misses, 1U);
}

TEST_F(CacheStoreTest, TwoReadersOfABlockReadItOnce) {
  std::vector<std::byte> one(512);
  std::vector<std::byte> other(kBlock);
  const StoreTag first = driver_->add_read(0, one);
  const StoreTag second = driver_->add_read(0, other);
  driver_->send();
  EXPECT_EQ(disk_->in_flight.size(), 1U);
  answer_reads();
  EXPECT_TRUE(driver_->is_done(first) && driver_->is_done(second));
}

TEST_F(CacheStoreTest, WriteIsAnsweredByTheDiskAndKept) {
  std::vector<std::byte> data = pattern(1024, 5);
  const StoreTag tag = driver_->add_write(0, data);
  driver_->send();
  driver_->poll();
  EXPECT_FALSE(driver_->is_done(tag));
  disk_->complete(StoreOpKind::write);
  driver_->poll();
  EXPECT_TRUE(driver_->is_done(tag));
  EXPECT_EQ(held(1), data[512]);
  EXPECT_EQ(held(2), std::nullopt) << "was not written";
}

TEST_F(CacheStoreTest, FailedWriteLeavesNothing) {
  std::vector<std::byte> data = pattern(512, 5);
  (void)driver_->add_write(0, data);
  driver_->send();
  disk_->complete(StoreOpKind::write, StoreErrc::io);
  driver_->poll();
  EXPECT_EQ(held(0), std::nullopt);
}

TEST_F(CacheStoreTest, ReadDuringAWriteGoesToTheDisk) {
  (void)held(0);
  ASSERT_NE(held(0), std::nullopt);
  std::vector<std::byte> data = pattern(512, 5);
  (void)driver_->add_write(0, data);
  driver_->send();
  std::vector<std::byte> got(512);
  (void)driver_->add_read(0, got);
  driver_->send();
  EXPECT_EQ(disk_->count(StoreOpKind::read), 1U);
  EXPECT_NE(held(1), std::nullopt) << "the neighbour is still there";
}

TEST_F(CacheStoreTest, BlockReadAcrossAWriteKeepsOnlyTheOtherSectors) {
  std::vector<std::byte> got(512);
  (void)driver_->add_read(0, got);  // the block is on its way
  driver_->send();
  std::vector<std::byte> data = pattern(512, 5);
  (void)driver_->add_write(512, data);
  driver_->send();
  disk_->complete(StoreOpKind::write);
  driver_->poll();
  answer_reads();  // with the old content of sector 1
  EXPECT_NE(held(0), std::nullopt);
  EXPECT_EQ(held(1), std::nullopt);
}

TEST_F(CacheStoreTest, BlockThatIsReadWhileASectorIsWrittenDoesNotHoldThatSector) {
  std::vector<std::byte> data = pattern(512, 5);
  (void)driver_->add_write(512, data);
  driver_->send();
  std::vector<std::byte> got(512);
  (void)driver_->add_read(0, got);
  driver_->send();
  answer_reads();
  disk_->complete(StoreOpKind::write);
  driver_->poll();
  EXPECT_NE(held(0), std::nullopt);
  EXPECT_EQ(held(1), data[0]) << "the write ended alone";
}

TEST_F(CacheStoreTest, OverlappingWritesLeaveNothing) {
  std::vector<std::byte> one = pattern(1024, 5);
  std::vector<std::byte> other = pattern(512, 6);
  (void)driver_->add_write(0, one);
  (void)driver_->add_write(512, other);
  driver_->send();
  disk_->complete(StoreOpKind::write);
  disk_->complete(StoreOpKind::write);
  driver_->poll();
  EXPECT_EQ(held(1), std::nullopt);
}

TEST_F(CacheStoreTest, DiscardForgets) {
  for (const std::uint64_t length : {kBlock, std::uint64_t{1} << 30U}) {
    (void)held(0);
    ASSERT_NE(held(0), std::nullopt);
    (void)driver_->add_range(StoreOpKind::discard, 0, length);
    driver_->send();
    disk_->complete(StoreOpKind::discard);
    driver_->poll();
    EXPECT_EQ(held(0), std::nullopt) << length;
  }
}

TEST_F(CacheStoreTest, FailedFillLeavesTheReadToTheDisk) {
  std::vector<std::byte> got(512);
  const StoreTag tag = driver_->add_read(512, got);
  driver_->send();
  disk_->complete(StoreOpKind::read, StoreErrc::io);
  driver_->poll();
  ASSERT_EQ(disk_->in_flight.size(), 1U);
  EXPECT_EQ(disk_->in_flight[0].offset_bytes, 512U);
  EXPECT_EQ(disk_->in_flight[0].length_bytes, 512U);
  disk_->complete(StoreOpKind::read, StoreErrc::io);
  driver_->poll();
  ASSERT_TRUE(driver_->is_done(tag));
  EXPECT_EQ(driver_->status(tag), StoreErrc::io);
  EXPECT_EQ(driver_->error_offset(tag), 512U);
}

TEST_F(CacheStoreTest, WhatLiesBehindANewEndIsForgotten) {
  const std::uint64_t sector = (std::uint64_t{1} << 29U) / kSectorBytes;
  (void)held(sector);
  ASSERT_NE(held(sector), std::nullopt);
  disk_->set_size(std::uint64_t{1} << 28U);
  ASSERT_TRUE(store_->refresh());
  disk_->set_size(std::uint64_t{1} << 30U);
  ASSERT_TRUE(store_->refresh());
  EXPECT_EQ(held(sector), std::nullopt);
}

TEST_F(CacheStoreTest, LastBlockOfAnOddDiskEndsWithTheDisk) {
  disk_->set_size(kBlock + 3 * kSectorBytes);
  ASSERT_TRUE(store_->refresh());
  std::vector<std::byte> got(512);
  (void)driver_->add_read(kBlock, got);
  driver_->send();
  ASSERT_EQ(disk_->in_flight.size(), 1U);
  EXPECT_EQ(disk_->in_flight[0].length_bytes, 3 * kSectorBytes);
  // It grows while the block is being read.
  disk_->set_size(2 * kBlock);
  ASSERT_TRUE(store_->refresh());
  answer_reads();
  EXPECT_NE(held(10), std::nullopt);
  EXPECT_EQ(held(11), std::nullopt) << "was behind the end when it was asked for";
}

TEST_F(CacheStoreTest, SequentialReaderFindsTheNextBlocksThere) {
  std::vector<std::byte> got(kBlock);
  for (std::uint64_t block = 0; block < 64; ++block) {
    (void)driver_->add_read(block * kBlock, got);
    driver_->send();
    answer_reads();
  }
  EXPECT_LT(store_->stats().cache_misses, 20U);
  EXPECT_GT(store_->stats().cache_read_ahead_blocks, 40U);
}

TEST_F(CacheStoreTest, BlocksOnTheirWayAreWorkOfItsOwn) {
  std::vector<std::byte> got(kBlock);
  for (std::uint64_t block = 0; block < 8; ++block) {
    (void)driver_->add_read(block * kBlock, got);
  }
  driver_->send();
  EXPECT_TRUE(store_->is_working());
  answer_reads();
  EXPECT_FALSE(store_->is_working());
  store_->stop_working();
  for (std::uint64_t block = 8; block < 64; ++block) {
    (void)driver_->add_read(block * kBlock, got);
    driver_->send();
    answer_reads();
  }
  EXPECT_FALSE(store_->is_working());
}

// Random operations, executed by the disk in any order, many at once and overlapping as they like:
// every sector that is read must be one that could be there.
class CacheModel : public ::testing::TestWithParam<unsigned> {
 protected:
  static constexpr std::uint64_t kSectors = 1507;  // about three times the cache, and odd

  struct InFlight {
    StoreOpKind kind = StoreOpKind::read;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint32_t value = 0;
    bool met_a_change = false;  // of a read
    std::vector<std::byte> data;
    std::vector<std::set<std::uint32_t>> allowed;  // of a read, by sector
  };

  static std::uint32_t value_of(ConstByteSpan sector) { return load_le32(sector, 0); }

  void start(Prng& random, std::uint32_t tag) {
    InFlight op;
    op.first = random.below(kSectors);
    op.count = std::min(kSectors - op.first, 1 + random.below(random.chance(1, 4) ? 40 : 4));
    const std::uint64_t die = random.below(100);
    op.kind = die < 55   ? StoreOpKind::read
              : die < 92 ? StoreOpKind::write
              : die < 96 ? StoreOpKind::discard
              : die < 98 ? StoreOpKind::write_zeroes
                         : StoreOpKind::flush;
    StoreOp store_op{.tag = StoreTag{tag},
                     .kind = op.kind,
                     .offset_bytes = op.first * kSectorBytes,
                     .length_bytes = op.count * kSectorBytes,
                     .data = {}};
    if (op.kind == StoreOpKind::flush) {
      store_op.offset_bytes = 0;
      store_op.length_bytes = 0;
      op.count = 0;
    } else if (op.kind == StoreOpKind::read || op.kind == StoreOpKind::write) {
      op.data.resize(op.count * kSectorBytes);
      if (op.kind == StoreOpKind::write) {
        op.value = tag;
        for (std::uint64_t i = 0; i < op.count; ++i) {
          store_le32(ByteSpan(op.data), i * kSectorBytes, tag);
        }
      }
    }
    for (std::uint64_t i = 0; i < op.count; ++i) {
      const std::uint64_t sector = op.first + i;
      if (op.kind == StoreOpKind::read) {
        op.allowed.push_back(possible_[sector]);
        op.met_a_change = op.met_a_change || changing_[sector] != 0;
      } else {
        possible_[sector].insert(op.value);
        ++changing_[sector];
        for (auto& [other_tag, other] : in_flight_) {
          if (other.kind == StoreOpKind::read && sector >= other.first &&
              sector < other.first + other.count) {
            other.allowed[sector - other.first].insert(op.value);
            other.met_a_change = true;
          }
        }
        if (changing_[sector] > 1) {
          contended_.insert(sector);
        }
      }
    }
    InFlight& kept = in_flight_[tag] = std::move(op);
    if (!kept.data.empty()) {
      store_op.data = kept.data;
    }
    store_->submit(Instant{1}, std::span(&store_op, 1));
  }

  void take(const StoreCompletion& done) {
    const InFlight op = std::move(in_flight_.at(done.tag.value));
    in_flight_.erase(done.tag.value);
    for (std::uint64_t i = 0; i < op.count; ++i) {
      const std::uint64_t sector = op.first + i;
      if (op.kind == StoreOpKind::read) {
        if (done.status != StoreErrc::ok) {
          continue;
        }
        const std::uint32_t value = value_of(ConstByteSpan(op.data).subspan(i * kSectorBytes));
        ASSERT_TRUE(op.allowed[i].contains(value))
            << "sector " << sector << " read as " << value << " by " << done.tag.value;
        if (!op.met_a_change && possible_[sector].contains(value) && changing_[sector] == 0) {
          possible_[sector] = {value};  // nobody may see another one from now on
        }
        continue;
      }
      --changing_[sector];
      if (done.status == StoreErrc::ok && !contended_.contains(sector)) {
        possible_[sector] = {op.value};
      }
      if (changing_[sector] == 0) {
        contended_.erase(sector);
      }
    }
  }

  std::unique_ptr<CacheStore> store_;
  std::map<std::uint32_t, InFlight> in_flight_;
  std::vector<std::set<std::uint32_t>> possible_{kSectors, {0}};
  std::vector<unsigned> changing_ = std::vector<unsigned>(kSectors, 0);
  std::set<std::uint64_t> contended_;
};

TEST_P(CacheModel, ReadsSeeOnlyWhatCanBeThere) {
  Prng random(GetParam());
  testing::Platter platter(kSectors);
  testing::Power power{.random = Prng(GetParam() + 1000)};
  auto below = std::make_unique<testing::SimDisk>(platter, power);
  testing::SimDisk* disk = below.get();
  auto made = CacheStore::make(std::move(below), 64 * kBlock);
  ASSERT_TRUE(made);
  store_ = std::move(*made);
  std::vector<StoreCompletion> out(16);
  std::uint32_t next_tag = 1;
  while (next_tag < 4000 || !in_flight_.empty()) {
    disk->fail_write = random.chance(1, 50) ? StoreErrc::io : StoreErrc::ok;
    disk->fail_read = random.chance(1, 50) ? StoreErrc::io : StoreErrc::ok;
    while (next_tag < 4000 && in_flight_.size() < 40 && random.chance(3, 4)) {
      start(random, next_tag++);
    }
    const std::size_t count = store_->poll_completions(Instant{1}, out);
    for (std::size_t i = 0; i < count; ++i) {
      take(out[i]);
      if (HasFatalFailure()) {
        return;
      }
    }
  }
  EXPECT_GT(store_->stats().cache_hits, 100U);
  EXPECT_GT(store_->stats().cache_evictions, 100U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CacheModel, ::testing::Range(1U, 25U));

}  // namespace
}  // namespace aoe::storage
