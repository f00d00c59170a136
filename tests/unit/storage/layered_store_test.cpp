#include "storage/layered_store.h"

#include "support/layer_machine.h"
#include "support/store_driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::testing {
namespace {

using storage::LayeredOptions;
using storage::LayerPhase;
using storage::LayerState;
using storage::WhenFull;

constexpr std::uint64_t kSectors = 4096;

class Layered : public ::testing::Test {
 protected:
  void start(const LayeredOptions& options = {}) {
    machine.start(options);
    machine.base_disk->is_prompt = true;
    driver = std::make_unique<StoreDriver>(*machine.store);
    old = pattern(kSectors * kSectorBytes, 1);
    ASSERT_EQ(driver->write(0, old, Durability::stable), StoreErrc::ok);
  }

  void freeze() {
    machine.make_layer();
    auto layer = machine.replay();
    ASSERT_TRUE(layer);
    machine.attach(*std::move(layer));
    machine.layer_disk->is_prompt = true;
    run_until(LayerPhase::active);
  }

  void run_until(LayerPhase phase) {
    for (int i = 0; i < 10'000 && machine.store->status().phase != phase; ++i) {
      driver->poll();
      if (const auto next = machine.store->poll_timeout()) {
        driver->now = std::max(driver->now, *next);
      }
    }
    ASSERT_EQ(machine.store->status().phase, phase);
  }

  [[nodiscard]] std::vector<std::byte> read_all() {
    std::vector<std::byte> bytes(kSectors * kSectorBytes);
    EXPECT_EQ(driver->read(0, bytes), StoreErrc::ok);
    return bytes;
  }

  [[nodiscard]] std::vector<std::byte> base_bytes() const {
    std::vector<std::byte> bytes;
    for (std::uint64_t s = 0; s < kSectors; ++s) {
      const SectorBytes sector = machine.base_disk->peek(s);
      bytes.insert(bytes.end(), sector.begin(), sector.end());
    }
    return bytes;
  }

  LayerMachine machine{kSectors};
  std::unique_ptr<StoreDriver> driver;
  std::vector<std::byte> old;
};

TEST_F(Layered, WritesGoIntoTheLayerAndReadsSeeThem) {
  start();
  freeze();
  auto fresh = pattern(40 * kSectorBytes, 2);
  ASSERT_EQ(driver->write(100 * kSectorBytes, fresh, Durability::stable), StoreErrc::ok);
  ASSERT_EQ(driver->range(StoreOpKind::discard, 110 * kSectorBytes, 4 * kSectorBytes),
            StoreErrc::ok);
  auto expected = old;
  std::copy(fresh.begin(), fresh.end(), expected.begin() + 100 * kSectorBytes);
  std::fill_n(expected.begin() + 110 * kSectorBytes, 4 * kSectorBytes, std::byte{});
  EXPECT_EQ(read_all(), expected);
  EXPECT_EQ(base_bytes(), old);
  EXPECT_EQ(machine.store->status().layer_sectors, 40U);
}

TEST_F(Layered, ADiscardHidesWhatTheBaseHas) {
  start();
  freeze();
  ASSERT_EQ(driver->range(StoreOpKind::discard, 0, 8 * kSectorBytes), StoreErrc::ok);
  std::vector<std::byte> seen(8 * kSectorBytes, std::byte{1});
  ASSERT_EQ(driver->read(0, seen), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(seen));
  machine.store->begin_merge();
  run_until(LayerPhase::merged);
  const auto base = base_bytes();
  EXPECT_TRUE(is_all_zero(std::span(base).first(seen.size())));
}

TEST_F(Layered, AMergePutsEverythingIntoTheBaseAndTheLayerComesOff) {
  start({.merge_window_sectors = 64});
  freeze();
  auto fresh = pattern(1000 * kSectorBytes, 2);
  ASSERT_EQ(driver->write(333 * kSectorBytes, fresh, Durability::stable), StoreErrc::ok);
  const auto expected = read_all();
  machine.store->begin_merge();
  run_until(LayerPhase::merged);
  EXPECT_EQ(base_bytes(), expected);
  EXPECT_FALSE(machine.store->is_working());
  EXPECT_NE(machine.store->detach(), nullptr);
  EXPECT_EQ(machine.store->status().phase, LayerPhase::none);
  EXPECT_EQ(read_all(), expected);
}

TEST_F(Layered, WhatIsUnderWayWithoutALayerEndsBeforeThereIsOne) {
  start();
  machine.base_disk->is_held = true;
  auto fresh = pattern(kSectorBytes, 2);
  std::vector<std::byte> seen(kSectorBytes);
  const StoreTag write = driver->add_write(0, fresh, Durability::stable);
  const StoreTag read = driver->add_read(8 * kSectorBytes, seen);
  driver->send();
  driver->poll();
  machine.make_layer();
  auto layer = machine.replay();
  ASSERT_TRUE(layer);
  machine.attach(*std::move(layer));
  machine.layer_disk->is_prompt = true;
  auto later = pattern(kSectorBytes, 3);
  const StoreTag waits = driver->add_write(0, later, Durability::stable);
  driver->send();
  driver->poll();
  EXPECT_EQ(machine.store->status().phase, LayerPhase::settling);
  EXPECT_TRUE(machine.store->is_working());
  machine.base_disk->is_held = false;
  run_until(LayerPhase::active);
  ASSERT_TRUE(driver->finish());
  EXPECT_EQ(driver->status(write), StoreErrc::ok);
  EXPECT_EQ(driver->status(read), StoreErrc::ok);
  EXPECT_EQ(driver->status(waits), StoreErrc::ok);
  EXPECT_EQ(driver->duplicates, 0U);
  const auto base = base_bytes();
  EXPECT_TRUE(equal_bytes(ConstByteSpan(base).first(kSectorBytes), fresh));
  EXPECT_TRUE(equal_bytes(ConstByteSpan(read_all()).first(kSectorBytes), later));
}

TEST_F(Layered, WhatIsUnderWayWhenTheLayerComesOffEndsBeforeTheBaseIsAlone) {
  start();
  freeze();
  machine.store->begin_merge();
  run_until(LayerPhase::merged);
  machine.base_disk->is_held = true;
  std::vector<std::byte> first(kSectorBytes);
  std::vector<std::byte> second(kSectorBytes);
  const StoreTag begun = driver->add_read(0, first);
  driver->send();
  driver->poll();
  EXPECT_NE(machine.store->detach(), nullptr);
  const StoreTag waits = driver->add_read(kSectorBytes, second);
  driver->send();
  driver->poll();
  EXPECT_FALSE(driver->is_done(begun));
  machine.base_disk->is_held = false;
  ASSERT_TRUE(driver->finish());
  EXPECT_EQ(driver->status(begun), StoreErrc::ok);
  EXPECT_EQ(driver->status(waits), StoreErrc::ok);
  EXPECT_TRUE(equal_bytes(first, ConstByteSpan(old).first(kSectorBytes)));
  EXPECT_TRUE(equal_bytes(second, ConstByteSpan(old).subspan(kSectorBytes, kSectorBytes)));
  EXPECT_FALSE(machine.store->is_working());
}

TEST_F(Layered, WhatFoundNoRoomIsHandedOutWhenTheLayerHasGone) {
  start();
  freeze();
  machine.store->begin_merge();
  run_until(LayerPhase::merged);
  std::vector<std::byte> bytes(4 * kSectorBytes);
  std::array<StoreOp, 4> ops{};
  for (std::uint32_t i = 0; i < ops.size(); ++i) {
    ops.at(i) = {.tag = StoreTag{i},
                 .kind = StoreOpKind::read,
                 .offset_bytes = i * kSectorBytes,
                 .length_bytes = kSectorBytes,
                 .data = std::span(bytes).subspan(i * kSectorBytes, kSectorBytes)};
  }
  machine.store->submit(driver->now, ops);
  std::array<StoreCompletion, 1> one{};
  ASSERT_EQ(machine.store->poll_completions(driver->now, one), 1U);
  ASSERT_NE(machine.store->detach(), nullptr);
  for (std::size_t i = 1; i < ops.size(); ++i) {
    EXPECT_EQ(machine.store->poll_completions(driver->now, one), 1U) << i;
  }
  EXPECT_EQ(machine.store->poll_completions(driver->now, one), 0U);
}

TEST_F(Layered, AMergeKeepsToItsRateAndServesMeanwhile) {
  start({.merge_bytes_per_second = 64 * 1024, .merge_window_sectors = 64});
  freeze();
  auto fresh = pattern(640 * kSectorBytes, 2);
  ASSERT_EQ(driver->write(0, fresh, Durability::stable), StoreErrc::ok);
  machine.store->begin_merge();
  const Instant begin = driver->now;
  run_until(LayerPhase::merging);
  auto more = pattern(2 * kSectorBytes, 3);
  ASSERT_EQ(driver->write(639 * kSectorBytes, more, Durability::stable), StoreErrc::ok);
  EXPECT_EQ(machine.store->status().phase, LayerPhase::merging);
  const auto expected = read_all();
  run_until(LayerPhase::merged);
  EXPECT_EQ(base_bytes(), expected);
  // 320 KiB at 64 KiB a second; nothing is waited for behind the last window.
  EXPECT_GE((driver->now - begin).ns, Duration::milliseconds(4500).ns);
  EXPECT_LE((driver->now - begin).ns, Duration::seconds(6).ns);
}

TEST_F(Layered, EveryOpeningHasAnEpochOfItsOwn) {
  start();
  freeze();
  const auto first = machine.replay();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->header.epoch, 1U);
  EXPECT_EQ(first->header.state, LayerState::active);
  Prng random(1);
  machine.lose_power(random);
  machine.start({});
  driver = std::make_unique<StoreDriver>(*machine.store);
  machine.attach(*machine.replay());
  run_until(LayerPhase::active);
  EXPECT_EQ(machine.replay()->header.epoch, 2U);
}

TEST_F(Layered, ALayerThatIsFullIsMergedAndNoWriteFails) {
  start();
  freeze();
  machine.layer_disk->room_sectors = 600;  // 513 of them for the map
  auto fresh = pattern(200 * kSectorBytes, 2);
  ASSERT_EQ(driver->write(0, std::span(fresh).first(10 * kSectorBytes), Durability::stable),
            StoreErrc::ok);
  EXPECT_EQ(driver->write(0, fresh, Durability::stable), StoreErrc::ok);
  EXPECT_TRUE(machine.store->status().is_full);
  run_until(LayerPhase::merged);
  auto expected = old;
  std::copy(fresh.begin(), fresh.end(), expected.begin());
  EXPECT_EQ(base_bytes(), expected);
}

TEST_F(Layered, ALayerThatIsFullRefusesWritesWhereTheBaseMustStay) {
  start({.when_full = WhenFull::refuse});
  freeze();
  machine.layer_disk->room_sectors = 4;
  auto fresh = pattern(8 * kSectorBytes, 2);
  EXPECT_EQ(driver->write(0, fresh, Durability::stable), StoreErrc::no_space);
  EXPECT_EQ(machine.store->status().phase, LayerPhase::active);
  EXPECT_EQ(base_bytes(), old);
  machine.layer_disk->room_sectors = 4000;
  EXPECT_EQ(driver->write(0, fresh, Durability::stable), StoreErrc::ok);
  EXPECT_EQ(machine.replay()->map.mapped_sectors(), 8U);
}

TEST_F(Layered, AFlushThatFailsIsNeverTriedAgainWithSuccess) {
  start();
  freeze();
  machine.layer_disk->fail_flush = StoreErrc::sync_failed;
  auto fresh = pattern(kSectorBytes, 2);
  EXPECT_EQ(driver->write(0, fresh, Durability::stable), StoreErrc::sync_failed);
  machine.layer_disk->fail_flush = StoreErrc::ok;
  EXPECT_EQ(driver->write(0, fresh, Durability::stable), StoreErrc::sync_failed);
  EXPECT_EQ(driver->flush(), StoreErrc::sync_failed);
  // And what may be damaged is not merged.
  machine.store->begin_merge();
  driver->poll();
  EXPECT_EQ(machine.store->status().phase, LayerPhase::active);
  EXPECT_EQ(base_bytes(), old);
}

TEST_F(Layered, AFreezeThatFailsLeavesTheBaseInUse) {
  start();
  machine.make_layer();
  machine.attach(*machine.replay());
  machine.layer_disk->fail_write = StoreErrc::no_space;
  auto fresh = pattern(kSectorBytes, 2);
  EXPECT_EQ(driver->write(0, fresh, Durability::stable), StoreErrc::ok);
  EXPECT_EQ(machine.store->status().phase, LayerPhase::none);
  EXPECT_EQ(machine.store->status().attach_error, StoreErrc::no_space);
  EXPECT_EQ(machine.base_disk->peek(0)[0], fresh[0]);
}

TEST_F(Layered, AMergeThatMeetsAnErrorGoesOnLater) {
  start();
  freeze();
  auto fresh = pattern(kSectorBytes, 2);
  ASSERT_EQ(driver->write(0, fresh, Durability::stable), StoreErrc::ok);
  machine.layer_disk->fail_read = StoreErrc::io;
  machine.store->begin_merge();
  for (int i = 0; i < 10; ++i) {
    driver->poll();
  }
  EXPECT_EQ(machine.store->status().merge_error, StoreErrc::io);
  EXPECT_EQ(machine.store->status().phase, LayerPhase::merging);
  machine.layer_disk->fail_read = StoreErrc::ok;
  run_until(LayerPhase::merged);
  EXPECT_EQ(machine.store->status().merge_error, StoreErrc::ok);
}

TEST_F(Layered, ErrorsNameThePlaceOnTheDisk) {
  start();
  freeze();
  auto fresh = pattern(2 * kSectorBytes, 2);
  ASSERT_EQ(driver->write(7 * kSectorBytes, fresh, Durability::stable), StoreErrc::ok);
  machine.layer_disk->fail_read = StoreErrc::io;
  std::vector<std::byte> seen(10 * kSectorBytes);
  const StoreTag tag = driver->add_read(0, seen);
  ASSERT_TRUE(driver->finish());
  EXPECT_EQ(driver->status(tag), StoreErrc::io);
  EXPECT_EQ(driver->error_offset(tag), 7 * kSectorBytes);
}

TEST_F(Layered, AStoppedMergeRestsAtOnce) {
  start({.merge_bytes_per_second = 1024, .merge_window_sectors = 1});
  freeze();
  auto fresh = pattern(100 * kSectorBytes, 2);
  ASSERT_EQ(driver->write(0, fresh, Durability::stable), StoreErrc::ok);
  machine.store->begin_merge();
  run_until(LayerPhase::merging);
  EXPECT_TRUE(machine.store->is_working());
  machine.store->stop_working();
  for (int i = 0; i < 10; ++i) {
    driver->poll();
  }
  EXPECT_FALSE(machine.store->is_working());
}

}  // namespace
}  // namespace aoe::testing
