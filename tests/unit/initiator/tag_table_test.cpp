#include "initiator/tag_table.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace aoe::initiator {
namespace {

constexpr Instant kStart{1'000'000'000};

TEST(TagTable, TagsHaveTheUserSpaceBitAndStartAtRandom) {
  TagTable a({.slots = 4, .start = 0x12345678});
  TagTable b({.slots = 4, .start = 0x72345678});
  const Tag first = *a.acquire(kStart);
  EXPECT_NE(first.value & 0x80000000U, 0U);
  EXPECT_NE(first, *b.acquire(kStart));
}

TEST(TagTable, FindsOnlyTagsInUse) {
  TagTable table({.slots = 4, .start = 99});
  const Tag tag = *table.acquire(kStart);
  EXPECT_TRUE(table.find(tag).has_value());
  EXPECT_FALSE(table.find(Tag{tag.value & 0x7FFFFFFFU}).has_value());
  EXPECT_FALSE(table.find(Tag{tag.value + 1}).has_value());
  table.release(tag);
  EXPECT_FALSE(table.find(tag).has_value());
}

TEST(TagTable, IsFullWhenEverySlotIsInUse) {
  TagTable table({.slots = 2, .start = 0});
  const Tag a = *table.acquire(kStart);
  EXPECT_TRUE(table.acquire(kStart).has_value());
  EXPECT_FALSE(table.acquire(kStart).has_value());
  table.release(a);
  EXPECT_TRUE(table.acquire(kStart).has_value());
}

TEST(TagTable, ASlotThatIsUsedAgainHasAnotherTag) {
  TagTable table({.slots = 1, .start = 7});
  const Tag old = *table.acquire(kStart);
  table.release(old);
  const Tag fresh = *table.acquire(kStart);
  EXPECT_NE(old, fresh);
  EXPECT_FALSE(table.find(old).has_value());
}

TEST(TagTable, NoTagReturnsBeforeItHasRested) {
  // One slot and four generations: without the rest, the fifth tag is the first one again.
  constexpr Duration kRest = Duration::seconds(4);
  TagTable table({.slots = 1, .start = 0, .rest = kRest, .generation_bits = 2});
  std::map<std::uint32_t, Instant> released;
  std::set<std::uint32_t> different;
  Instant now = kStart;
  int refused = 0;
  for (int i = 0; i < 400; ++i, now = now + Duration::milliseconds(100)) {
    const auto tag = table.acquire(now);
    if (!tag) {
      ++refused;
      continue;
    }
    if (const auto last = released.find(tag->value); last != released.end()) {
      EXPECT_GE((now - last->second).ns, kRest.ns);
    }
    different.insert(tag->value);
    table.release(*tag);
    released[tag->value] = now;
  }
  EXPECT_EQ(different.size(), 4U);
  EXPECT_GT(refused, 0);
}

TEST(TagTable, RestingSlotsDoNotHideFreeOnes) {
  TagTable table({.slots = 2, .start = 0, .rest = Duration::seconds(4), .generation_bits = 2});
  table.release(*table.acquire(kStart));
  const Tag kept = *table.acquire(kStart);
  // The first slot alone goes through its generations until it must rest.
  table.release(*table.acquire(kStart));
  table.release(*table.acquire(kStart));
  EXPECT_FALSE(table.acquire(kStart).has_value());
  table.release(kept);
  EXPECT_TRUE(table.acquire(kStart).has_value());
  EXPECT_FALSE(table.acquire(kStart).has_value());
  EXPECT_TRUE(table.acquire(kStart + Duration::seconds(4)).has_value());
}

}  // namespace
}  // namespace aoe::initiator
