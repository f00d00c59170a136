#include "target/range_table.h"

#include "base/prng.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace aoe::target {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr RangeUse kRead = RangeUse::shared;
constexpr RangeUse kWrite = RangeUse::exclusive;

class Ranges : public testing::Test {
 protected:
  bool add(std::uint16_t slot, std::uint64_t begin, std::uint64_t end, RangeUse use,
           std::uint32_t space = 0) {
    return table.add(slot, {space, begin, end}, use);
  }

  std::vector<std::uint16_t> remove(std::uint16_t slot) {
    std::vector<std::uint16_t> runnable;
    table.remove(slot, runnable);
    return runnable;
  }

 public:
  RangeTable table{16};
};

TEST_F(Ranges, ReadsShareAndWritesExclude) {
  EXPECT_TRUE(add(0, 10, 20, kRead));
  EXPECT_TRUE(add(1, 10, 20, kRead));
  EXPECT_FALSE(add(2, 19, 25, kWrite));
  EXPECT_FALSE(add(3, 24, 25, kRead));
  EXPECT_THAT(remove(0), IsEmpty());
  EXPECT_THAT(remove(1), ElementsAre(2));
  EXPECT_THAT(remove(2), ElementsAre(3));
}

TEST_F(Ranges, NeighboursAndOtherSpacesDoNotMeet) {
  EXPECT_TRUE(add(0, 10, 20, kWrite));
  EXPECT_TRUE(add(1, 20, 30, kWrite));
  EXPECT_TRUE(add(2, 0, 10, kWrite));
  EXPECT_TRUE(add(3, 10, 20, kWrite, 1));
}

TEST_F(Ranges, WaitersRunInTheOrderOfArrival) {
  EXPECT_TRUE(add(5, 0, 100, kWrite));
  EXPECT_FALSE(add(9, 50, 60, kRead));
  EXPECT_FALSE(add(1, 10, 20, kWrite));
  EXPECT_FALSE(add(7, 50, 60, kRead));
  EXPECT_THAT(remove(5), ElementsAre(9, 1, 7));
}

TEST_F(Ranges, SlotIsUsedAgainAfterItsRangeWasRemoved) {
  EXPECT_TRUE(add(0, 0, 8, kWrite));
  EXPECT_THAT(remove(0), IsEmpty());
  EXPECT_TRUE(add(0, 0, 8, kWrite));
  EXPECT_FALSE(add(1, 7, 8, kWrite));
  EXPECT_THAT(remove(0), ElementsAre(1));
}

TEST_F(Ranges, RangesThatShareTwoChunksMeetOnce) {
  EXPECT_TRUE(add(0, 200, 300, kWrite));
  EXPECT_FALSE(add(1, 250, 350, kWrite));
  EXPECT_THAT(remove(0), ElementsAre(1));
}

TEST_F(Ranges, LongRangesMeetEverythingInside) {
  EXPECT_TRUE(add(0, 5000, 5001, kWrite));
  EXPECT_FALSE(add(1, 0, std::uint64_t{1} << 48, kWrite));
  EXPECT_FALSE(add(2, 70'000, 70'001, kRead));
  EXPECT_FALSE(add(3, 60'000, 80'000, kRead));
  EXPECT_THAT(remove(0), ElementsAre(1));
  EXPECT_THAT(remove(1), ElementsAre(2, 3));
}

// The simplest thing that could be right: a list in the order of arrival.
class NaiveTable {
 public:
  bool add(std::uint16_t slot, const SectorRange& range, RangeUse use) {
    entries_.push_back({slot, range, use});
    return !is_blocked(entries_.size() - 1);
  }

  std::vector<std::uint16_t> remove(std::uint16_t slot) {
    std::vector<bool> was_blocked;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      was_blocked.push_back(is_blocked(i));
    }
    std::vector<std::uint16_t> candidates;
    const auto gone = std::find_if(entries_.begin(), entries_.end(),
                                   [slot](const Entry& e) { return e.slot == slot; });
    was_blocked.erase(was_blocked.begin() + (gone - entries_.begin()));
    entries_.erase(gone);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (was_blocked[i] && !is_blocked(i)) {
        candidates.push_back(entries_[i].slot);
      }
    }
    return candidates;
  }

  // A slot that runs, chosen by `pick`; none when the table is empty.
  [[nodiscard]] std::vector<std::uint16_t> running() const {
    std::vector<std::uint16_t> slots;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!is_blocked(i)) {
        slots.push_back(entries_[i].slot);
      }
    }
    return slots;
  }

 private:
  struct Entry {
    std::uint16_t slot = 0;
    SectorRange range;
    RangeUse use = RangeUse::shared;
  };

  [[nodiscard]] bool is_blocked(std::size_t index) const {
    const Entry& self = entries_[index];
    return std::any_of(
        entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(index),
        [&self](const Entry& other) {
          return other.range.space == self.range.space && other.range.begin < self.range.end &&
                 self.range.begin < other.range.end &&
                 (other.use == RangeUse::exclusive || self.use == RangeUse::exclusive);
        });
  }

  std::vector<Entry> entries_;
};

SectorRange random_range(Prng& prng) {
  const auto space = static_cast<std::uint32_t>(prng.below(2)) << 16U;
  // Short ranges around a few chunk borders, some anywhere, some long ones.
  std::uint64_t begin = prng.below(4) * 256 + prng.below(8) + 250;
  std::uint64_t length = 1 + prng.below(17);
  if (prng.chance(1, 10)) {
    begin = prng.below(100) * (std::uint64_t{1} << 40U);
  }
  if (prng.chance(1, 10)) {
    length = 1 + prng.below(255);
  }
  if (prng.chance(1, 12)) {
    begin = prng.below(600);
    length = 1 + prng.below(100'000);
  }
  return {space, begin, begin + length};
}

TEST(RangeTable, AgreesWithTheNaiveTableOnRandomWork) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    constexpr std::uint16_t kSlots = 48;
    Prng prng(seed);
    RangeTable table(kSlots);
    NaiveTable naive;
    std::vector<std::uint16_t> free;
    for (std::uint16_t slot = 0; slot < kSlots; ++slot) {
      free.push_back(slot);
    }
    for (int step = 0; step < 5000; ++step) {
      const auto running = naive.running();
      if (!free.empty() && (running.empty() || prng.chance(1, 2))) {
        const std::size_t pick = prng.below(free.size());
        const std::uint16_t slot = free[pick];
        free.erase(free.begin() + static_cast<std::ptrdiff_t>(pick));
        const SectorRange range = random_range(prng);
        const RangeUse use = prng.chance(1, 2) ? kRead : kWrite;
        ASSERT_EQ(table.add(slot, range, use), naive.add(slot, range, use))
            << "seed " << seed << " step " << step;
      } else {
        const std::uint16_t slot = running[prng.below(running.size())];
        std::vector<std::uint16_t> runnable;
        table.remove(slot, runnable);
        ASSERT_EQ(runnable, naive.remove(slot)) << "seed " << seed << " step " << step;
        free.push_back(slot);
      }
    }
  }
}

}  // namespace
}  // namespace aoe::target
