#include "sim/world/sim_disk.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace aoe::sim {
namespace {

class SimDiskTest : public ::testing::Test, protected DiskUser, protected DiskObserver {
 protected:
  void make(const DiskOptions& options) {
    disk_ = std::make_unique<SimDisk>(world_, 0, options);
    disk_->set_user(this);
    disk_->set_observer(this);
  }

  void handle_disk_done(Instant now, std::uint32_t /*disk*/, const StoreCompletion& done) override {
    done_[done.tag.value] = done.status;
    done_at_[done.tag.value] = now;
  }

  void on_disk_change(Instant /*now*/, std::uint32_t /*disk*/, const StoreOp& op) override {
    changed_sectors_ += op.length_bytes / kSectorBytes;
  }

  void on_power_cut(Instant /*now*/, std::uint32_t /*disk*/) override { ++power_cuts_; }

  // Returns the operation's tag.
  std::uint32_t write(std::uint64_t lba, std::uint8_t fill, std::uint64_t sectors = 1,
                      Durability durability = Durability::visible) {
    memory_.emplace_back(sectors * kSectorBytes, std::byte{fill});
    return submit({.kind = StoreOpKind::write,
                   .durability = durability,
                   .offset_bytes = lba * kSectorBytes,
                   .length_bytes = sectors * kSectorBytes,
                   .data = memory_.back()});
  }

  std::uint32_t flush() { return submit({.kind = StoreOpKind::flush}); }

  std::uint32_t submit(StoreOp op) {
    op.tag = StoreTag{++last_tag_};
    disk_->submit(world_.now(), op);
    return last_tag_;
  }

  void settle() { world_.events().run_until(world_.now() + Duration::seconds(1)); }

  [[nodiscard]] std::uint8_t now_at(std::uint64_t lba) { return load_u8(disk_->sector(lba), 0); }

  [[nodiscard]] std::uint8_t durable_at(std::uint64_t lba) {
    return load_u8(disk_->durable_sector(lba), 0);
  }

  World world_{{.seed = 11, .frames_max = 1}};
  std::unique_ptr<SimDisk> disk_;
  std::vector<std::vector<std::byte>> memory_;
  std::map<std::uint32_t, StoreErrc> done_;
  std::map<std::uint32_t, Instant> done_at_;
  std::uint32_t last_tag_ = 0;
  std::uint64_t changed_sectors_ = 0;
  std::uint32_t power_cuts_ = 0;
};

TEST_F(SimDiskTest, ShowsAWriteAtOnceAndKeepsItOnlyAfterAFlush) {
  make({});
  write(3, 0xAA);
  settle();
  EXPECT_EQ(now_at(3), 0xAA);
  EXPECT_EQ(durable_at(3), 0);
  const std::uint32_t tag = flush();
  settle();
  EXPECT_EQ(done_.at(tag), StoreErrc::ok);
  EXPECT_EQ(durable_at(3), 0xAA);
  EXPECT_EQ(changed_sectors_, 1U);
}

TEST_F(SimDiskTest, MakesAStableWriteDurableAndNothingElse) {
  make({});
  write(1, 1);
  settle();
  write(2, 2, 1, Durability::stable);
  settle();
  EXPECT_EQ(durable_at(2), 2);
  EXPECT_EQ(durable_at(1), 0);
}

TEST_F(SimDiskTest, FlushesWhatHadCompletedWhenTheFlushCameAndNotMore) {
  make({.speed = {.parallel = 4,
                  .write_min = Duration::milliseconds(1),
                  .write_spread = {},
                  .flush = Duration::milliseconds(10)}});
  write(1, 1);
  settle();
  write(2, 2);  // under way when the flush comes
  const std::uint32_t tag = flush();
  settle();
  EXPECT_EQ(done_.at(tag), StoreErrc::ok);
  EXPECT_EQ(now_at(2), 2);
  EXPECT_EQ(durable_at(1), 1);
  EXPECT_EQ(durable_at(2), 0);
}

TEST_F(SimDiskTest, FlushesTheContentOfItsBeginning) {
  make({.speed = {.parallel = 4, .flush = Duration::milliseconds(10)}});
  write(1, 1);
  settle();
  flush();
  write(1, 2);
  settle();
  EXPECT_EQ(now_at(1), 2);
  EXPECT_EQ(durable_at(1), 1);
}

TEST_F(SimDiskTest, KeepsEachUnflushedSectorOrNotAtAPowerCut) {
  make({.sectors = 400});
  for (std::uint64_t lba = 0; lba < 200; ++lba) {
    write(lba, 1);
  }
  settle();
  flush();
  settle();
  for (std::uint64_t lba = 0; lba < 400; ++lba) {
    write(lba, 2);
  }
  settle();
  disk_->power_cut(world_.now());
  std::map<std::uint8_t, int> first_half;
  std::map<std::uint8_t, int> second_half;
  for (std::uint64_t lba = 0; lba < 200; ++lba) {
    ++first_half[now_at(lba)];
    ++second_half[now_at(lba + 200)];
    EXPECT_EQ(now_at(lba), durable_at(lba));
  }
  EXPECT_EQ(first_half[0], 0) << "what was flushed is there";
  EXPECT_GT(first_half[1], 50);
  EXPECT_GT(first_half[2], 50);
  EXPECT_GT(second_half[0], 50);
  EXPECT_GT(second_half[2], 50);
  EXPECT_EQ(power_cuts_, 1U);
  EXPECT_GT(disk_->counters().lost_sectors, 100U);
}

TEST_F(SimDiskTest, TearsAWriteThatIsUnderWayAtAPowerCut) {
  make({.sectors = 64});
  const std::uint32_t tag = write(0, 7, 64, Durability::stable);
  disk_->power_cut(world_.now());
  settle();
  EXPECT_FALSE(done_.contains(tag)) << "nobody hears of it";
  int kept = 0;
  for (std::uint64_t lba = 0; lba < 64; ++lba) {
    kept += now_at(lba) == 7 ? 1 : 0;
    EXPECT_EQ(now_at(lba), durable_at(lba));
  }
  EXPECT_GT(kept, 10);
  EXPECT_LT(kept, 54);
  EXPECT_EQ(disk_->counters().torn, 1U);
}

TEST_F(SimDiskTest, ExecutesSomeOfWhatADeadProcessHadSubmitted) {
  make({});
  for (std::uint64_t lba = 0; lba < 100; ++lba) {
    write(lba, 9);
  }
  disk_->process_died(world_.now());
  memory_.clear();  // its memory is gone
  settle();
  EXPECT_TRUE(done_.empty());
  EXPECT_EQ(disk_->in_flight(), 0U);
  EXPECT_GT(disk_->counters().orphans, 20U);
  EXPECT_LT(disk_->counters().orphans, 80U);
  EXPECT_EQ(changed_sectors_, disk_->counters().orphans);
}

TEST_F(SimDiskTest, CompletesNothingWhileItHangs) {
  make({});
  disk_->hang();
  const std::uint32_t tag = write(1, 1);
  settle();
  EXPECT_FALSE(done_.contains(tag));
  EXPECT_EQ(now_at(1), 0);
  disk_->release(world_.now());
  settle();
  EXPECT_EQ(done_.at(tag), StoreErrc::ok);
  EXPECT_EQ(now_at(1), 1);
}

TEST_F(SimDiskTest, FailsWhatItIsToldToAndMayHaveWrittenAPartOfIt) {
  make({});
  disk_->fail_next(StoreOpKind::write, StoreErrc::no_space);
  const std::uint32_t first = write(0, 1, 100);
  const std::uint32_t second = write(200, 2);
  settle();
  EXPECT_EQ(done_.at(first), StoreErrc::no_space);
  EXPECT_EQ(done_.at(second), StoreErrc::ok);
  EXPECT_GT(changed_sectors_, 1U);
  EXPECT_LT(changed_sectors_, 101U);
}

TEST_F(SimDiskTest, ForgetsWhatAFailedFlushShouldHaveSaved) {
  make({.sectors = 200});
  for (std::uint64_t lba = 0; lba < 200; ++lba) {
    write(lba, 1);
  }
  settle();
  disk_->fail_next(StoreOpKind::flush, StoreErrc::sync_failed);
  const std::uint32_t failed = flush();
  settle();
  const std::uint32_t second = flush();
  settle();
  EXPECT_EQ(done_.at(failed), StoreErrc::sync_failed);
  EXPECT_EQ(done_.at(second), StoreErrc::ok) << "the next one knows nothing of it";
  EXPECT_EQ(now_at(0), 1);
  disk_->power_cut(world_.now());
  int lost = 0;
  for (std::uint64_t lba = 0; lba < 200; ++lba) {
    lost += now_at(lba) == 0 ? 1 : 0;
  }
  EXPECT_GT(lost, 50);
  EXPECT_LT(lost, 150);
}

TEST_F(SimDiskTest, LiesWhenItIsToldTo) {
  make({.lies = true});
  write(3, 0xAA, 1, Durability::stable);
  settle();
  flush();
  settle();
  EXPECT_EQ(now_at(3), 0xAA);
  disk_->power_cut(world_.now());
  EXPECT_EQ(now_at(3), 0);
}

TEST_F(SimDiskTest, MisdirectsWhenItIsToldTo) {
  make({.misdirected_ppm = 1'000'000});
  write(3, 0xAA);
  settle();
  EXPECT_EQ(now_at(3), 0);
  EXPECT_EQ(now_at(4), 0xAA);
}

TEST_F(SimDiskTest, SeeksLongerOverLongerDistances) {
  make({.sectors = 100'000, .speed = {.kind = DiskSpeed::Kind::spinning, .parallel = 1}});
  Instant start = world_.now();
  const std::uint32_t far = write(99'000, 1, 1, Durability::stable);
  settle();
  const Duration far_time = done_at_.at(far) - start;
  start = world_.now();
  const std::uint32_t back = write(0, 1, 1, Durability::stable);
  settle();
  EXPECT_GT(far_time, Duration::milliseconds(13));
  EXPECT_GT(done_at_.at(back) - start, Duration::milliseconds(13));
  start = world_.now();
  const std::uint32_t near = write(1, 1, 1, Durability::stable);
  settle();
  EXPECT_LT(done_at_.at(near) - start, Duration::milliseconds(9));
}

TEST_F(SimDiskTest, GrowsWithZerosAndLosesItsEnd) {
  make({.sectors = 8});
  write(7, 5);
  settle();
  disk_->resize(4);
  disk_->resize(8);
  EXPECT_EQ(now_at(7), 0);
  write(7, 6, 1, Durability::stable);
  settle();
  EXPECT_EQ(durable_at(7), 6);
}

}  // namespace
}  // namespace aoe::sim
