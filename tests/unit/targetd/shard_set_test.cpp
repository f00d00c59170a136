#include "targetd/shard_set.h"

#include "base/bytes.h"
#include "os/clock.h"
#include "storage/memory_store.h"
#include "unit/net/veth_test.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace aoe::targetd {
namespace {

constexpr std::uint16_t kShelf = 7;
constexpr std::uint64_t kStoreBytes = 1 << 20;

// The set serves on vb; the test asks from va.
class ShardSetTest : public net::VethTest {
 protected:
  void SetUp() override {
    VethTest::SetUp();
    if (IsSkipped()) {
      return;
    }
    auto loop = runtime::EventLoop::create({});
    ASSERT_TRUE(loop);
    loop_ = *std::move(loop);
    auto asking =
        net::AfPacketPort::open({.interface = "va", .filter = net::FrameFilter::responses});
    ASSERT_TRUE(asking);
    asking_ = *std::move(asking);
  }

  void open_set(std::uint16_t count) {
    ShardSet::Options options;
    options.count = count;
    options.interfaces = {"vb"};
    options.limits.exports_max = 16;
    options.limits.probe_time = Duration::milliseconds(1);
    options.frame_bytes_min = 1514;
    Prng prng(1);
    auto set = ShardSet::open(*loop_, options, prng);
    ASSERT_TRUE(set) << set.error().message;
    set_ = *std::move(set);
  }

  void serve_in_two_shards() {
    ASSERT_NO_FATAL_FAILURE(open_set(2));
    add_export(0);
    add_export(1);
    ASSERT_TRUE(set_->start());
    ASSERT_TRUE(turn_until([this] { return count_of(target::EventKind::export_ready) == 2; }));
  }

  static DeviceAddress at_slot(std::uint8_t slot) { return {Shelf{kShelf}, Slot{slot}}; }

  ExportId add_export(std::uint8_t slot) {
    target::ExportSettings settings;
    settings.address = at_slot(slot);
    settings.sector_count = kStoreBytes / kSectorBytes;
    auto store = storage::MemoryStore::open(kStoreBytes, 64);
    EXPECT_TRUE(store);
    auto id = set_->of(settings.address).add_export(settings, {}, *std::move(store));
    EXPECT_TRUE(id) << id.error().message;
    return id ? *id : ExportId{};
  }

  // One turn of the daemon; what the shards tell is collected.
  void turn_daemon() {
    const std::optional<Instant> next = set_->turn();
    for (std::size_t i = 0; i < set_->size(); ++i) {
      while (const auto event = set_->at(i).next_event()) {
        events_.push_back(*event);
      }
      while (auto save = set_->at(i).next_state_save()) {
        set_->of(save->address)
            .core()
            .handle_state_saved(os::monotonic_now(), save->export_id, save->generation,
                                target::StateKeeper::Saved::yes);
      }
      set_->at(i).seen_news();
    }
    const Instant soonest = os::monotonic_now() + Duration::milliseconds(5);
    loop_->run_once(next ? std::min(*next, soonest) : soonest);
  }

  template <class Condition>
  bool turn_until(Condition condition) {
    const Instant deadline = os::monotonic_now() + Duration::seconds(20);
    while (!condition()) {
      if (os::monotonic_now() > deadline) {
        return false;
      }
      turn_daemon();
    }
    return true;
  }

  [[nodiscard]] std::size_t count_of(target::EventKind kind) const {
    std::size_t count = 0;
    for (const target::TargetEvent& event : events_) {
      count += event.kind == kind ? 1U : 0U;
    }
    return count;
  }

  // A config query (AoEr11 3.2) for an export of our shelf.
  void ask(std::uint8_t slot, std::uint32_t tag) {
    PacketBuffer frame = make_frame({.number = 0});
    store_be16(frame.bytes(), 16, kShelf);
    store_u8(frame.bytes(), 18, slot);
    store_u8(frame.bytes(), 19, 1);
    store_be32(frame.bytes(), 20, tag);
    asking_->transmit({&frame, 1});
  }

  // Asks the exports in turn until told to stop, each time waiting for the answer.
  void ask_until(const std::atomic<bool>& is_over, const std::vector<std::uint8_t>& slots) {
    std::uint32_t tag = 0;
    while (!is_over.load()) {
      for (const std::uint8_t slot : slots) {
        ask(slot, ++tag);
        const auto answers = receive(*asking_, 1);
        answered_ += answers.size();
        missed_ += 1 - answers.size();
      }
    }
    has_stopped_ = true;
  }

  std::unique_ptr<runtime::EventLoop> loop_;
  std::unique_ptr<net::PacketPort> asking_;
  std::unique_ptr<ShardSet> set_;
  std::vector<target::TargetEvent> events_;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<std::uint64_t> missed_{0};
  std::atomic<bool> has_stopped_{false};
};

TEST_F(ShardSetTest, AddressesAreDividedAsTheSocketsAre) {
  open_set(3);
  for (std::uint8_t slot = 0; slot < 9; ++slot) {
    EXPECT_EQ(&set_->of(at_slot(slot)), &set_->at(net::share_of(kShelf, slot, 3)));
    EXPECT_EQ(set_->is_together(at_slot(slot), at_slot(0)), slot % 3 == 0);
  }
}

TEST_F(ShardSetTest, OneShardIsTurnedByTheDaemon) {
  open_set(1);
  ASSERT_TRUE(set_->start());
  add_export(0);
  ASSERT_TRUE(turn_until([this] { return count_of(target::EventKind::export_ready) == 1; }));
  ask(0, 1);
  ASSERT_TRUE(turn_until([this] { return set_->at(0).core().stats().replies != 0; }));
  EXPECT_EQ(receive(*asking_, 1).size(), 1U);
}

TEST_F(ShardSetTest, DaemonLooksAndChangesWhileShardsServe) {
  ASSERT_NO_FATAL_FAILURE(serve_in_two_shards());
  std::atomic<bool> is_over{false};
  std::thread asking([&] { ask_until(is_over, {0, 1}); });
  for (int round = 1; round <= 20; ++round) {
    // Both shards have an export that comes and goes.
    const std::vector<ExportId> ids{add_export(2), add_export(3)};
    const auto ready = 2U + 2U * static_cast<unsigned>(round);
    EXPECT_TRUE(turn_until([&] { return count_of(target::EventKind::export_ready) == ready; }));
    EXPECT_EQ(set_->exports().size(), 4U);
    EXPECT_TRUE(set_->of(at_slot(2)).core().remove_export(os::monotonic_now(), ids[0]));
    EXPECT_TRUE(set_->of(at_slot(3)).core().remove_export(os::monotonic_now(), ids[1]));
    set_->refresh_ports();
    EXPECT_TRUE(turn_until([&] {
      return count_of(target::EventKind::export_removed) == 2U * static_cast<unsigned>(round);
    }));
  }
  const std::uint64_t before = answered_;
  EXPECT_TRUE(turn_until([&] { return answered_ >= before + 100; }));
  is_over = true;
  // Between its turns the daemon has the shards, and nobody answers.
  EXPECT_TRUE(turn_until([&] { return has_stopped_.load(); }));
  asking.join();
  EXPECT_EQ(missed_, 0U);
  EXPECT_GT(set_->at(0).core().stats().frames, 50U);
  EXPECT_GT(set_->at(1).core().stats().frames, 50U);
  EXPECT_TRUE(set_->finish(Duration::seconds(1)));
}

TEST_F(ShardSetTest, WhatTheDaemonDoesToASleepingShardIsDoneAtOnce) {
  open_set(2);
  ASSERT_TRUE(set_->start());
  // The shards sleep without an end: nothing is exported.
  for (int i = 0; i < 3; ++i) {
    turn_daemon();
  }
  add_export(1);
  EXPECT_TRUE(turn_until([this] { return count_of(target::EventKind::export_ready) == 1; }));
}

TEST_F(ShardSetTest, EndsWhileShardsServe) {
  ASSERT_NO_FATAL_FAILURE(serve_in_two_shards());
  std::atomic<bool> is_over{false};
  std::thread asking([&] { ask_until(is_over, {0, 1}); });
  EXPECT_TRUE(turn_until([this] { return answered_ > 20; }));
  set_->stop_receiving();
  turn_daemon();
  EXPECT_TRUE(set_->finish(Duration::seconds(1)));
  is_over = true;
  asking.join();
}

}  // namespace
}  // namespace aoe::targetd
