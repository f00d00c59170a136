#include "target/write_stamps.h"

#include "base/prng.h"
#include "target/tag_clock.h"

#include <gtest/gtest.h>

#include <map>

namespace aoe::target {
namespace {

using Put = WriteStamps::Put;

constexpr Duration kLife = Duration::seconds(1);

Tag tag(std::uint32_t clock) {
  return Tag{(clock & 0x7FFFU) << 16U | (clock & 0xFFFFU)};
}

class Stamps : public testing::Test {
 protected:
  Put put(std::uint64_t begin, std::uint64_t sectors, std::uint32_t clock, std::uint32_t host = 1) {
    return stamps.put(now, host, {.space = 7, .begin = begin, .end = begin + sectors}, tag(clock));
  }

 public:
  WriteStamps stamps{64, kLife};
  Instant now{10'000'000'000};
};

TEST_F(Stamps, AnOlderWriteOfTheSameSectorsIsStale) {
  EXPECT_EQ(put(100, 8, 50), Put::newest);
  EXPECT_EQ(put(100, 8, 49), Put::stale);
  EXPECT_EQ(put(100, 8, 50), Put::stale) << "the very same frame again";
  EXPECT_EQ(put(100, 8, 51), Put::newest);
}

TEST_F(Stamps, OneCommonSectorIsEnough) {
  EXPECT_EQ(put(100, 8, 50), Put::newest);
  EXPECT_EQ(put(107, 8, 49), Put::stale);
  EXPECT_EQ(put(93, 8, 49), Put::stale);
  EXPECT_EQ(put(0, 200, 49), Put::stale);
  EXPECT_EQ(put(108, 8, 49), Put::newest);
  EXPECT_EQ(put(92, 8, 49), Put::newest);
}

TEST_F(Stamps, AStaleWriteLeavesNoTrace) {
  EXPECT_EQ(put(100, 1, 50), Put::newest);
  EXPECT_EQ(put(90, 20, 40), Put::stale);
  EXPECT_EQ(put(90, 10, 30), Put::newest);
}

TEST_F(Stamps, RangesMayCrossChunksAndBeLong) {
  EXPECT_EQ(put(30, 4, 50), Put::newest);
  EXPECT_EQ(put(33, 1, 49), Put::stale);
  EXPECT_EQ(put(34, 1, 49), Put::newest);
  EXPECT_EQ(put(320, 255, 60), Put::newest);
  EXPECT_EQ(put(574, 1, 59), Put::stale);
  EXPECT_EQ(put(575, 1, 59), Put::newest);
  EXPECT_EQ(put(319, 1, 59), Put::newest);
}

TEST_F(Stamps, HostsAndDisksAreKeptApart) {
  EXPECT_EQ(put(100, 8, 50, 1), Put::newest);
  EXPECT_EQ(put(100, 8, 49, 2), Put::newest);
  EXPECT_EQ(stamps.put(now, 1, {.space = 8, .begin = 100, .end = 108}, tag(49)), Put::newest);
}

// Enough of them to share buckets.
TEST_F(Stamps, ManyHostsAndDisksWithTheSameSectorsAreKeptApart) {
  for (std::uint32_t host = 1; host <= 32; ++host) {
    ASSERT_EQ(put(100, 8, 1000 - host, host), Put::newest) << host;
  }
  for (std::uint32_t space = 100; space < 132; ++space) {
    ASSERT_EQ(stamps.put(now, 1, {.space = space, .begin = 100, .end = 108}, tag(900 - space)),
              Put::newest)
        << space;
  }
}

TEST_F(Stamps, AStampStaysForALifetimeAndIsGoneAfterTwo) {
  // At the worst moments of the epochs that it counts in.
  for (const std::int64_t begin_ms : {10'000, 10'001, 10'500, 10'999}) {
    const std::uint64_t lba = static_cast<std::uint64_t>(begin_ms) * 64;
    now = Instant{} + Duration::milliseconds(begin_ms);
    EXPECT_EQ(put(lba, 8, 50), Put::newest);
    now = now + kLife;
    EXPECT_EQ(put(lba, 8, 49), Put::stale) << begin_ms;
    now = now + kLife + Duration::milliseconds(1);
    EXPECT_EQ(put(lba, 8, 49), Put::newest) << begin_ms;
  }
}

// A sector that is never written again must not wait for the clock to come round because its
// neighbours are busy.
TEST_F(Stamps, BusyNeighboursDoNotKeepAStampAlive) {
  EXPECT_EQ(put(100, 1, 50), Put::newest);
  for (std::uint32_t i = 1; i <= 10; ++i) {
    now = now + Duration::milliseconds(300);
    EXPECT_EQ(put(101, 1, 50 + i), Put::newest);
  }
  EXPECT_EQ(put(100, 1, 40), Put::newest);
}

TEST_F(Stamps, AFullTableForgetsNothingAndSaysSo) {
  for (std::uint64_t chunk = 0; chunk < 64; ++chunk) {
    ASSERT_EQ(put(chunk * 32, 8, 50), Put::newest);
  }
  EXPECT_EQ(put(64 * 32, 8, 50), Put::full);
  EXPECT_EQ(put(0, 8, 51), Put::newest) << "what has a place is still written";
  for (std::uint64_t chunk = 1; chunk < 64; ++chunk) {
    EXPECT_EQ(put(chunk * 32, 8, 49), Put::stale) << chunk;
  }
  now = now + kLife + kLife;
  EXPECT_EQ(put(64 * 32, 8, 50), Put::newest);
  EXPECT_EQ(stamps.in_use(), 64U);
}

// Each has half of its places and is sent again and again, as Linux hosts do.
TEST_F(Stamps, WritesThatWaitForRoomDoNotKeepEachOtherWaiting) {
  for (std::uint64_t i = 0; i < 64; ++i) {
    ASSERT_EQ(put(i * 64, 32, 50), Put::newest);
  }
  std::uint32_t clock = 60;
  const auto send_all_again = [&] {
    unsigned executed = 0;
    for (std::uint64_t i = 0; i < 64; ++i) {
      executed += put(i * 64, 64, clock) == Put::newest ? 1U : 0U;
    }
    ++clock;
    return executed;
  };
  unsigned executed = 0;
  for (Duration waited{}; waited < kLife * 2; waited = waited + Duration::milliseconds(200)) {
    executed += send_all_again();
    now = now + Duration::milliseconds(200);
  }
  EXPECT_EQ(executed, 0U);
  EXPECT_EQ(send_all_again(), 32U);
}

TEST_F(Stamps, AWriteThatFoundNoRoomLeavesNoTrace) {
  for (std::uint64_t chunk = 0; chunk < 64; ++chunk) {
    ASSERT_EQ(put(chunk * 32, 8, 50), Put::newest);
  }
  EXPECT_EQ(put(63 * 32, 64, 60), Put::full);
  EXPECT_EQ(put(63 * 32, 8, 55), Put::newest);
}

// Against the simplest memory there can be.
TEST_F(Stamps, AgreesWithAMapOfSectors) {
  struct Stamp {
    Tag tag;
    Instant at;
  };

  std::map<std::uint64_t, Stamp> model;
  Prng random(5);
  std::uint32_t clock = 1000;
  unsigned stale = 0;
  for (int i = 0; i < 20'000; ++i) {
    now = now + Duration::milliseconds(static_cast<std::int64_t>(random.below(20)));
    clock += static_cast<std::uint32_t>(random.below(3));
    const std::uint64_t begin = random.below(600);
    const std::uint64_t sectors = 1 + random.below(70);
    const Tag sent = tag(clock - static_cast<std::uint32_t>(random.below(100)));
    bool must_be_stale = false;
    bool may_be_stale = false;
    for (std::uint64_t sector = begin; sector < begin + sectors; ++sector) {
      const auto found = model.find(sector);
      if (found != model.end() && !is_sent_after(sent, found->second.tag)) {
        must_be_stale = must_be_stale || now - found->second.at <= kLife;
        may_be_stale = may_be_stale || now - found->second.at < kLife * 2;
      }
    }
    const Put result = stamps.put(now, 1, {7, begin, begin + sectors}, sent);
    ASSERT_NE(result, Put::full);
    ASSERT_FALSE(must_be_stale && result == Put::newest) << i;
    ASSERT_FALSE(!may_be_stale && result == Put::stale) << i;
    stale += result == Put::stale ? 1U : 0U;
    for (std::uint64_t sector = begin; result == Put::newest && sector < begin + sectors;
         ++sector) {
      model[sector] = {sent, now};
    }
  }
  EXPECT_GT(stale, 1000U);
}

}  // namespace
}  // namespace aoe::target
