#include "storage/block_cache.h"

#include "storage/read_ahead.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <utility>

namespace aoe::storage {
namespace {

constexpr std::uint32_t kPlaces = 100;
constexpr std::uint32_t kNone = BlockCache::kNone;

class BlockCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = BlockCache::make(kPlaces * BlockCache::kBlockBytes, "test");
    ASSERT_TRUE(made);
    cache_ = std::make_unique<BlockCache>(std::move(*made));
  }

  // Somebody reads the block: a hit, or it comes in.
  bool ask(std::uint64_t block) {
    const std::uint32_t place = cache_->find(block);
    if (place != kNone) {
      cache_->touch(place);
      return true;
    }
    (void)cache_->insert(block);
    return false;
  }

  std::unique_ptr<BlockCache> cache_;
};

TEST_F(BlockCacheTest, HoldsAsManyAsItHasPlaces) {
  for (std::uint64_t block = 0; block < kPlaces; ++block) {
    EXPECT_FALSE(ask(block));
  }
  EXPECT_EQ(cache_->used(), kPlaces);
  EXPECT_EQ(cache_->evictions(), 0U);
  for (std::uint64_t block = 0; block < kPlaces; ++block) {
    EXPECT_EQ(cache_->block(cache_->find(block)), block);
  }
}

TEST_F(BlockCacheTest, BlocksAreFoundWhateverComesAndGoes) {
  std::set<std::uint64_t> there;
  std::uint64_t random = 1;
  for (int i = 0; i < 20'000; ++i) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    const std::uint64_t block = random >> 40U & 0x1FFU;
    if (const std::uint32_t place = cache_->find(block); place != kNone) {
      ASSERT_TRUE(there.contains(block));
      ASSERT_EQ(cache_->block(place), block);
      cache_->remove(place);
      there.erase(block);
    } else {
      ASSERT_FALSE(there.contains(block));
      if (there.size() < kPlaces) {
        ASSERT_NE(cache_->insert(block), kNone);
        there.insert(block);
      }
    }
    ASSERT_EQ(cache_->used(), there.size());
  }
}

TEST_F(BlockCacheTest, NewBlockHasNoValidSector) {
  const std::uint32_t first = cache_->insert(7);
  cache_->set_valid(first, BlockCache::kAllSectors);
  cache_->remove(first);
  EXPECT_EQ(cache_->find(7), kNone);
  EXPECT_EQ(cache_->valid(cache_->insert(8)), 0U);
}

TEST_F(BlockCacheTest, ScanPassesByWhatIsAskedForOften) {
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t block = 0; block < 60; ++block) {
      (void)ask(block);
    }
  }
  for (std::uint64_t block = 1000; block < 11'000; ++block) {
    (void)ask(block);
  }
  unsigned hits = 0;
  for (std::uint64_t block = 0; block < 60; ++block) {
    hits += cache_->find(block) != kNone ? 1U : 0U;
  }
  EXPECT_EQ(hits, 60U);
}

TEST_F(BlockCacheTest, BlockThatComesBackSoonStays) {
  for (std::uint64_t block = 0; block < kPlaces; ++block) {
    (void)ask(block);
  }
  (void)ask(500);  // the oldest goes
  ASSERT_EQ(cache_->find(0), kNone);
  (void)ask(0);
  // What is scanned now goes through the small queue, past it.
  for (std::uint64_t block = 1000; block < 1050; ++block) {
    (void)ask(block);
  }
  EXPECT_NE(cache_->find(0), kNone);
}

TEST_F(BlockCacheTest, OtherWorkTakesOverInTheEnd) {
  for (int round = 0; round < 5; ++round) {
    for (std::uint64_t block = 0; block < 80; ++block) {
      (void)ask(block);
    }
  }
  unsigned hits = 0;
  for (int round = 0; round < 30; ++round) {
    hits = 0;
    for (std::uint64_t block = 5000; block < 5080; ++block) {
      hits += ask(block) ? 1U : 0U;
    }
  }
  EXPECT_EQ(hits, 80U);
}

TEST_F(BlockCacheTest, PinnedBlockStays) {
  const std::uint32_t pinned = cache_->insert(1);
  cache_->set_pin(pinned, 3);
  for (std::uint64_t block = 100; block < 2000; ++block) {
    (void)ask(block);
  }
  EXPECT_EQ(cache_->find(1), pinned);
}

TEST_F(BlockCacheTest, NoPlaceWhileAllArePinned) {
  for (std::uint64_t block = 0; block < kPlaces; ++block) {
    cache_->set_pin(cache_->insert(block), 1);
  }
  EXPECT_EQ(cache_->insert(500), kNone);
  cache_->set_pin(cache_->find(42), kNone);
  EXPECT_NE(cache_->insert(500), kNone);
  EXPECT_EQ(cache_->find(42), kNone);
}

TEST(ReadAhead, StreamIsFollowedAndNothingAdvisedTwice) {
  ReadAhead ahead;
  std::uint64_t fetched = 0;
  for (std::uint64_t block = 0; block < 1000; block += 2) {
    const BlockRange advice = ahead.advise({block, block + 2});
    if (advice.begin == advice.end) {
      continue;
    }
    EXPECT_GE(advice.begin, block + 2);
    EXPECT_GE(advice.begin, fetched);
    fetched = advice.end;
  }
  EXPECT_GT(fetched, 1000U);
}

TEST(ReadAhead, DisorderOfANetworkIsAStreamToo) {
  ReadAhead ahead;
  std::uint64_t fetched = 0;
  for (std::uint64_t base = 0; base < 400; base += 4) {
    for (const std::uint64_t block : {base + 2, base, base + 3, base + 1}) {
      fetched = std::max(fetched, ahead.advise({block, block + 1}).end);
    }
  }
  EXPECT_GT(fetched, 400U);
}

TEST(ReadAhead, RandomReadsFetchNothing) {
  ReadAhead ahead;
  std::uint64_t at = 12345;
  for (int i = 0; i < 1000; ++i) {
    at = (at * 6364136223846793005ULL + 1442695040888963407ULL) % 100'000'000;
    EXPECT_EQ(ahead.advise({at, at + 2}), BlockRange{}) << i;
  }
}

TEST(ReadAhead, StreamsSideBySideAreAllFollowed) {
  ReadAhead ahead;
  std::array<std::uint64_t, 8> fetched{};
  for (std::uint64_t block = 0; block < 100; ++block) {
    for (std::size_t stream = 0; stream < fetched.size(); ++stream) {
      const std::uint64_t at = stream * 1'000'000 + block;
      fetched[stream] = std::max(fetched[stream], ahead.advise({at, at + 1}).end);
    }
  }
  for (std::size_t stream = 0; stream < fetched.size(); ++stream) {
    EXPECT_GT(fetched[stream], stream * 1'000'000 + 100);
  }
}

TEST(ReadAhead, TheStreamThatRestedLongestGoesFirst) {
  constexpr std::uint64_t kFollowed = 16;
  constexpr std::uint64_t kFar = 1'000'000;
  ReadAhead ahead;
  for (std::uint64_t stream = 0; stream < kFollowed; ++stream) {
    ASSERT_EQ(ahead.advise({stream * kFar, stream * kFar + 7}), BlockRange{});
  }
  // The first goes on, so that the second is the one that rests.
  ASSERT_EQ(ahead.advise({6, 7}), BlockRange{});
  ASSERT_EQ(ahead.advise({kFollowed * kFar, kFollowed * kFar + 1}), BlockRange{});
  EXPECT_NE(ahead.advise({7, 8}), BlockRange{}) << "eight blocks in a row";
  EXPECT_EQ(ahead.advise({kFar + 7, kFar + 8}), BlockRange{}) << "nobody remembers the seven";
  EXPECT_NE(ahead.advise({3 * kFar + 7, 3 * kFar + 8}), BlockRange{});
}

}  // namespace
}  // namespace aoe::storage
