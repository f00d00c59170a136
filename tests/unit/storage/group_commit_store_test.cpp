#include "storage/group_commit_store.h"

#include "support/fake_store.h"
#include "support/store_driver.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

namespace aoe::storage {
namespace {

using testing::FakeStore;
using testing::StoreDriver;

class GroupCommit : public ::testing::Test {
 protected:
  GroupCommit() {
    auto inner = std::make_unique<FakeStore>(16, 8);
    disk_ = inner.get();
    store_ = std::make_unique<GroupCommitStore>(std::move(inner));
    driver_ = std::make_unique<StoreDriver>(*store_);
  }

  StoreTag send_stable_write(std::uint64_t offset = 0) {
    const StoreTag tag = driver_->add_write(offset, sector_, Durability::stable);
    driver_->send();
    return tag;
  }

  StoreTag send_flush() {
    const StoreTag tag = driver_->add_flush();
    driver_->send();
    return tag;
  }

  // A stable write that has reached the disk's cache and waits for a flush.
  StoreTag send_written(std::uint64_t offset) {
    const StoreTag tag = send_stable_write(offset);
    disk_->complete(StoreOpKind::write);
    driver_->poll();
    return tag;
  }

  // That flush of those in flight, the oldest first.
  void complete_flush(std::size_t index, StoreErrc status = StoreErrc::ok) {
    disk_->complete(StoreOpKind::flush, status, index);
    driver_->poll();
  }

  [[nodiscard]] std::size_t flushes_in_flight() const { return disk_->count(StoreOpKind::flush); }

  std::array<std::byte, 512> sector_{};
  FakeStore* disk_ = nullptr;
  std::unique_ptr<GroupCommitStore> store_;
  std::unique_ptr<StoreDriver> driver_;
};

TEST_F(GroupCommit, StableWriteGoesDownVisibleAndIsFlushedAfterItCompleted) {
  const StoreTag write = send_stable_write();
  driver_->poll();
  EXPECT_EQ(flushes_in_flight(), 0U) << "a flush before the write completed would not cover it";
  ASSERT_EQ(disk_->seen.size(), 1U);
  EXPECT_EQ(disk_->seen[0].durability, Durability::visible);

  disk_->complete(StoreOpKind::write);
  driver_->poll();
  EXPECT_EQ(flushes_in_flight(), 1U);
  EXPECT_FALSE(driver_->is_done(write));

  disk_->complete(StoreOpKind::flush);
  driver_->poll();
  EXPECT_EQ(driver_->status(write), StoreErrc::ok);
}

TEST_F(GroupCommit, OneFlushServesAllThatHaveCompleted) {
  const StoreTag a = driver_->add_write(0, sector_, Durability::stable);
  const StoreTag b = driver_->add_range(StoreOpKind::discard, 512, 512, Durability::stable);
  const StoreTag c = driver_->add_range(StoreOpKind::write_zeroes, 1024, 512, Durability::stable);
  driver_->send();
  disk_->complete(StoreOpKind::write);
  disk_->complete(StoreOpKind::discard);
  disk_->complete(StoreOpKind::write_zeroes);
  driver_->poll();
  EXPECT_EQ(flushes_in_flight(), 1U);
  disk_->complete(StoreOpKind::flush);
  driver_->poll();
  EXPECT_EQ(driver_->status(a), StoreErrc::ok);
  EXPECT_EQ(driver_->status(b), StoreErrc::ok);
  EXPECT_EQ(driver_->status(c), StoreErrc::ok);
  EXPECT_EQ(disk_->seen.size(), 4U);
}

TEST_F(GroupCommit, WriteThatCompletesDuringAFlushGetsAnotherOneAtOnce) {
  const StoreTag first = send_written(0);
  const StoreTag late = send_written(512);
  EXPECT_EQ(flushes_in_flight(), 2U);
  complete_flush(0);
  EXPECT_EQ(driver_->status(first), StoreErrc::ok);
  EXPECT_FALSE(driver_->is_done(late)) << "the flush was submitted before this write completed";
  complete_flush(0);
  EXPECT_EQ(driver_->status(late), StoreErrc::ok);
}

TEST_F(GroupCommit, NoWriteIsOvertakenByThoseOfALaterFlush) {
  const StoreTag first = send_written(0);
  const StoreTag second = send_written(512);
  const StoreTag third = send_written(1024);
  complete_flush(1);
  EXPECT_FALSE(driver_->is_done(first));
  EXPECT_FALSE(driver_->is_done(second));
  complete_flush(0);
  EXPECT_EQ(driver_->status(first), StoreErrc::ok);
  EXPECT_EQ(driver_->status(second), StoreErrc::ok);
  EXPECT_FALSE(driver_->is_done(third));
  complete_flush(0);
  EXPECT_EQ(driver_->status(third), StoreErrc::ok);
  EXPECT_EQ(driver_->duplicates, 0U);
}

TEST_F(GroupCommit, FlushThatEndedWellButWaitsForOneThatFailsIsNotBelieved) {
  const StoreTag first = send_written(0);
  const StoreTag second = send_written(512);
  complete_flush(1);
  complete_flush(0, StoreErrc::sync_failed);
  EXPECT_EQ(driver_->status(first), StoreErrc::sync_failed);
  EXPECT_EQ(driver_->status(second), StoreErrc::sync_failed);
}

TEST_F(GroupCommit, WhatFindsAllFlushesInFlightSharesTheNext) {
  constexpr std::size_t kFlushes = 4;
  std::vector<StoreTag> covered;
  for (std::size_t i = 0; i < kFlushes; ++i) {
    covered.push_back(send_written(i * 512));
  }
  ASSERT_EQ(flushes_in_flight(), kFlushes);
  const StoreTag a = send_written(4096);
  const StoreTag b = send_written(8192);
  EXPECT_EQ(flushes_in_flight(), kFlushes);

  complete_flush(0);
  EXPECT_EQ(driver_->status(covered[0]), StoreErrc::ok);
  EXPECT_FALSE(driver_->is_done(a));
  EXPECT_EQ(flushes_in_flight(), kFlushes) << "one for both that waited";
  for (std::size_t i = 1; i < kFlushes; ++i) {
    complete_flush(0);
    EXPECT_EQ(driver_->status(covered[i]), StoreErrc::ok);
  }
  EXPECT_FALSE(driver_->is_done(b));
  complete_flush(0);
  EXPECT_EQ(flushes_in_flight(), 0U);
  EXPECT_EQ(driver_->status(a), StoreErrc::ok);
  EXPECT_EQ(driver_->status(b), StoreErrc::ok);
}

TEST_F(GroupCommit, FlushThatEndsWellAfterAnotherFailedIsNotBelieved) {
  const StoreTag first = send_written(0);
  const StoreTag second = send_written(512);
  const StoreTag third = send_written(1024);
  complete_flush(1, StoreErrc::sync_failed);
  EXPECT_EQ(driver_->status(second), StoreErrc::sync_failed);
  EXPECT_EQ(driver_->error_offset(second), 512U);
  complete_flush(0);
  EXPECT_EQ(driver_->status(first), StoreErrc::sync_failed);
  complete_flush(0);
  EXPECT_EQ(driver_->status(third), StoreErrc::sync_failed);
  EXPECT_EQ(driver_->duplicates, 0U);
}

TEST_F(GroupCommit, AcknowledgedBeforeAFailureStays) {
  const StoreTag first = send_written(0);
  const StoreTag second = send_written(512);
  complete_flush(0);
  complete_flush(0, StoreErrc::sync_failed);
  EXPECT_EQ(driver_->status(first), StoreErrc::ok);
  EXPECT_EQ(driver_->status(second), StoreErrc::sync_failed);
}

// Whose errors one flush may hear in place of another.
TEST(GroupCommitWithoutOverlap, OneFlushAtATime) {
  auto inner = std::make_unique<FakeStore>(16, 1);
  FakeStore& disk = *inner;
  GroupCommitStore store(std::move(inner));
  EXPECT_EQ(store.info().in_flight_max, 15U);
  StoreDriver driver(store);
  std::array<std::byte, 512> sector{};
  for (std::uint64_t i = 0; i < 2; ++i) {
    driver.add_write(i * 512, sector, Durability::stable);
    driver.send();
    disk.complete(StoreOpKind::write);
    driver.poll();
    EXPECT_EQ(disk.count(StoreOpKind::flush), 1U);
  }
  disk.complete(StoreOpKind::flush);
  driver.poll();
  EXPECT_EQ(disk.count(StoreOpKind::flush), 1U);
}

TEST(GroupCommitWithoutOverlap, TwoPlacesAreEnough) {
  auto inner = std::make_unique<FakeStore>(2, 8);
  FakeStore& disk = *inner;
  GroupCommitStore store(std::move(inner));
  ASSERT_EQ(store.info().in_flight_max, 1U);
  StoreDriver driver(store);
  std::array<std::byte, 512> sector{};
  for (int round = 0; round < 9; ++round) {
    const StoreTag tag = driver.add_write(0, sector, Durability::stable);
    driver.send();
    disk.complete(StoreOpKind::write);
    driver.poll();
    disk.complete(StoreOpKind::flush);
    driver.poll();
    EXPECT_EQ(driver.status(tag), StoreErrc::ok);
  }
}

TEST_F(GroupCommit, ExplicitFlushDoesNotRideOnOneThatRunsAlready) {
  const StoreTag first = send_flush();
  EXPECT_EQ(flushes_in_flight(), 1U) << "sent at once, without waiting for a poll";
  const StoreTag second = send_flush();
  EXPECT_EQ(flushes_in_flight(), 2U);
  complete_flush(0);
  EXPECT_EQ(driver_->status(first), StoreErrc::ok);
  EXPECT_FALSE(driver_->is_done(second));
  complete_flush(0);
  EXPECT_EQ(driver_->status(second), StoreErrc::ok);
}

TEST_F(GroupCommit, VisibleWritesAndReadsNeedNoFlush) {
  const StoreTag write = driver_->add_write(0, sector_, Durability::visible);
  const StoreTag read = driver_->add_read(512, sector_);
  driver_->send();
  disk_->complete(StoreOpKind::write);
  disk_->complete(StoreOpKind::read);
  driver_->poll();
  EXPECT_EQ(driver_->status(write), StoreErrc::ok);
  EXPECT_EQ(driver_->status(read), StoreErrc::ok);
  EXPECT_EQ(flushes_in_flight(), 0U);
}

TEST_F(GroupCommit, FailedWriteIsReportedAsItIsAndNeedsNoFlush) {
  const StoreTag write = send_stable_write(4096);
  disk_->complete(StoreOpKind::write, StoreErrc::no_space);
  driver_->poll();
  EXPECT_EQ(driver_->status(write), StoreErrc::no_space);
  EXPECT_EQ(driver_->error_offset(write), 4096U);
  EXPECT_EQ(flushes_in_flight(), 0U);
  EXPECT_FALSE(store_->is_failed());
}

TEST_F(GroupCommit, FailedFlushFailsAllItCoveredAndEverythingStableAfterIt) {
  const StoreTag covered = send_stable_write(0);
  disk_->complete(StoreOpKind::write);
  driver_->poll();
  for (std::uint64_t i = 1; i < 4; ++i) {
    (void)send_written(i * 4096);
  }
  const StoreTag waiting = send_written(512);
  const StoreTag in_flight = send_stable_write(1024);
  const StoreTag explicit_flush = send_flush();

  disk_->complete(StoreOpKind::flush, StoreErrc::sync_failed);
  driver_->poll();
  EXPECT_EQ(driver_->status(covered), StoreErrc::sync_failed);
  EXPECT_EQ(driver_->status(waiting), StoreErrc::sync_failed);
  EXPECT_EQ(driver_->error_offset(waiting), 512U);
  EXPECT_EQ(driver_->status(explicit_flush), StoreErrc::sync_failed);
  EXPECT_FALSE(driver_->is_done(in_flight));

  disk_->complete(StoreOpKind::write);
  driver_->poll();
  EXPECT_EQ(driver_->status(in_flight), StoreErrc::sync_failed);

  const std::size_t seen_before = disk_->seen.size();
  const StoreTag later_write = send_stable_write(0);
  const StoreTag later_flush = send_flush();
  driver_->poll();
  EXPECT_EQ(driver_->status(later_write), StoreErrc::sync_failed);
  EXPECT_EQ(driver_->status(later_flush), StoreErrc::sync_failed);
  EXPECT_EQ(disk_->seen.size(), seen_before) << "a second flush would succeed and prove nothing";
  EXPECT_TRUE(store_->is_failed());
  for (int i = 0; i < 3; ++i) {
    complete_flush(0);
  }
  EXPECT_EQ(store_->stats().errors, 9U);
}

TEST_F(GroupCommit, AnyFailureOfTheFlushCountsAsLostData) {
  const StoreTag write = send_stable_write(0);
  disk_->complete(StoreOpKind::write);
  driver_->poll();
  disk_->complete(StoreOpKind::flush, StoreErrc::io);
  driver_->poll();
  EXPECT_EQ(driver_->status(write), StoreErrc::sync_failed);
}

TEST_F(GroupCommit, ReadsAndVisibleWritesStillPassAfterAFailure) {
  send_flush();
  disk_->complete(StoreOpKind::flush, StoreErrc::sync_failed);
  driver_->poll();
  const StoreTag read = driver_->add_read(0, sector_);
  const StoreTag write = driver_->add_write(0, sector_, Durability::visible);
  driver_->send();
  disk_->complete(StoreOpKind::read);
  disk_->complete(StoreOpKind::write);
  driver_->poll();
  EXPECT_EQ(driver_->status(read), StoreErrc::ok);
  EXPECT_EQ(driver_->status(write), StoreErrc::ok);
}

TEST_F(GroupCommit, FullOfWritesThereIsStillRoomForFlushes) {
  ASSERT_EQ(store_->info().in_flight_max, 12U);
  std::vector<StoreTag> tags;
  for (std::uint64_t i = 0; i < 12; ++i) {
    tags.push_back(driver_->add_write(i * 512, sector_, Durability::stable));
  }
  driver_->send();
  for (int i = 0; i < 12; ++i) {
    disk_->complete(StoreOpKind::write);
    driver_->poll();
  }
  EXPECT_EQ(flushes_in_flight(), 4U);
  for (int i = 0; i < 4; ++i) {
    disk_->complete(StoreOpKind::flush);
  }
  driver_->poll();
  complete_flush(0);
  for (const StoreTag tag : tags) {
    EXPECT_EQ(driver_->status(tag), StoreErrc::ok);
  }
  EXPECT_EQ(driver_->duplicates, 0U);
}

TEST_F(GroupCommit, WorksOverAStoreThatFinishesInsideSubmit) {
  disk_->completes_at_once = true;
  const StoreTag write = send_stable_write(0);
  const StoreTag flush = send_flush();
  driver_->poll();
  EXPECT_EQ(driver_->status(write), StoreErrc::ok);
  EXPECT_EQ(driver_->status(flush), StoreErrc::ok);
}

TEST_F(GroupCommit, FollowsTheSizeOfTheStoreBelow) {
  disk_->set_size(4096);
  EXPECT_EQ(store_->refresh().value(), 4096U);
  EXPECT_EQ(store_->info().size_bytes, 4096U);
}

}  // namespace
}  // namespace aoe::storage
