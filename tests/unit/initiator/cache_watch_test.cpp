#include "initiator/cache_watch.h"

#include <gtest/gtest.h>

namespace aoe::initiator {
namespace {

TEST(CacheWatch, NothingIsLostWhereNothingWasWritten) {
  CacheWatch cache;
  EXPECT_FALSE(cache.on_epoch(1));
  EXPECT_FALSE(cache.on_epoch(2));
  EXPECT_TRUE(cache.on_flushed(cache.flush_starts()));
}

TEST(CacheWatch, AChangeThatWasNotFlushedIsLostWithItsEpoch) {
  CacheWatch cache;
  EXPECT_FALSE(cache.on_epoch(1));
  cache.on_change(1);
  EXPECT_FALSE(cache.on_epoch(1)) << "the same cache";
  EXPECT_TRUE(cache.on_epoch(2));
  EXPECT_FALSE(cache.on_flushed(cache.flush_starts()));
  EXPECT_TRUE(cache.on_flushed(cache.flush_starts())) << "it was told";
  EXPECT_FALSE(cache.on_epoch(3)) << "nothing was written since";
}

TEST(CacheWatch, AFlushedChangeIsSafe) {
  CacheWatch cache;
  static_cast<void>(cache.on_epoch(1));
  cache.on_change(1);
  EXPECT_TRUE(cache.on_flushed(cache.flush_starts()));
  EXPECT_FALSE(cache.on_epoch(2));
  EXPECT_TRUE(cache.on_flushed(cache.flush_starts()));
}

TEST(CacheWatch, AFlushCoversWhatWasAnsweredBeforeItStarted) {
  CacheWatch cache;
  static_cast<void>(cache.on_epoch(1));
  cache.on_change(1);
  const CacheWatch::Mark start = cache.flush_starts();
  cache.on_change(1);
  EXPECT_TRUE(cache.on_flushed(start));
  EXPECT_TRUE(cache.on_epoch(2)) << "the second change";
}

TEST(CacheWatch, EveryFlushThatWasUnderWayIsTold) {
  CacheWatch cache;
  static_cast<void>(cache.on_epoch(1));
  cache.on_change(1);
  const CacheWatch::Mark first = cache.flush_starts();
  const CacheWatch::Mark second = cache.flush_starts();
  EXPECT_TRUE(cache.on_epoch(2));
  const CacheWatch::Mark third = cache.flush_starts();
  EXPECT_FALSE(cache.on_flushed(first));
  EXPECT_FALSE(cache.on_flushed(second));
  EXPECT_FALSE(cache.on_flushed(third));
  EXPECT_TRUE(cache.on_flushed(cache.flush_starts()));
}

TEST(CacheWatch, AnAnswerThatOutlivedItsTargetIsALoss) {
  CacheWatch cache;
  static_cast<void>(cache.on_epoch(1));
  EXPECT_FALSE(cache.on_epoch(2));
  cache.on_change(1);
  EXPECT_FALSE(cache.on_flushed(cache.flush_starts()));
}

TEST(CacheWatch, OfAPlainTargetNothingIsKnown) {
  CacheWatch cache;
  cache.on_change(0);
  EXPECT_FALSE(cache.on_epoch(1)) << "the first epoch that is heard of";
  EXPECT_TRUE(cache.on_flushed(cache.flush_starts()));
}

}  // namespace
}  // namespace aoe::initiator
