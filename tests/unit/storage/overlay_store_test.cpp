// Layers of many initiators over one base: each sees its own, the base stays as it is, and a power
// cut takes nothing that was acknowledged.
#include "storage/overlay_store.h"

#include "storage/group_commit_store.h"
#include "support/layer_machine.h"
#include "support/sim_disk.h"
#include "support/store_driver.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

namespace aoe::testing {
namespace {

using storage::LayerState;
using storage::OverlayPhase;
using storage::OverlayStore;

constexpr std::uint64_t kSectors = 64;
constexpr MacAddress kAnn{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress kBob{{2, 0, 0, 0, 0, 2}};

// A machine with a base disk and a disk for every layer.
class OverlayMachine {
 public:
  OverlayMachine() {
    for (std::uint64_t s = 0; s < kSectors; ++s) {
      store_le64(base_platter.content[s], 0, 1'000'000 + s);
    }
  }

  void start() {
    store = std::make_unique<OverlayStore>(
        std::make_unique<storage::GroupCommitStore>(std::make_unique<SimDisk>(base_platter, power)),
        32);
    for (const auto& [mac, platter] : layers) {
      store->expect(mac);
    }
  }

  // What targetd does after every turn.
  void serve() {
    while (const auto wanted = store->next_wanted()) {
      if (refusal != StoreErrc::ok) {
        store->refuse(wanted->initiator, refusal);
        continue;
      }
      if (wanted->is_new) {
        make(wanted->initiator);
      }
      auto content = replay(wanted->initiator);
      ASSERT_TRUE(content) << content.error().message;
      put(wanted->initiator, *std::move(content));
    }
  }

  void put(const MacAddress& mac, storage::ReplayedLayer content) {
    auto disk = std::make_unique<SimDisk>(layers.at(mac), power);
    disks[mac] = disk.get();
    store->put(mac, {.file = std::move(disk), .content = std::move(content)});
  }

  void make(const MacAddress& mac) {
    auto header = new_layer_header(kSectors);
    header.state = LayerState::active;
    header.purpose = storage::LayerPurpose::overlay;
    header.initiator = mac;
    Platter platter(storage::layer_layout(kSectors).file_bytes / kSectorBytes);
    copy_bytes(platter.content[storage::header_offset_bytes(1) / kSectorBytes],
               storage::encode_header(header));
    layers.insert_or_assign(mac, std::move(platter));
  }

  [[nodiscard]] Result<storage::ReplayedLayer> replay(const MacAddress& mac) const {
    const Platter& platter = layers.at(mac);
    return storage::replay_layer(
        "layer",
        [&platter](std::uint64_t offset, ByteSpan to) -> Result<void> {
          for (std::size_t i = 0; i < to.size(); i += kSectorBytes) {
            copy_bytes(to.subspan(i, kSectorBytes), platter.content[(offset + i) / kSectorBytes]);
          }
          return {};
        },
        platter.content.size() * kSectorBytes);
  }

  void lose_power(Prng& random) {
    for (auto& [mac, disk] : disks) {
      disk->lose_cache(random);
    }
    disks.clear();
    store.reset();
    power = Power{.random = Prng(random.next())};
  }

  Power power;
  Platter base_platter{kSectors};
  std::map<MacAddress, Platter> layers;
  std::map<MacAddress, SimDisk*> disks;
  StoreErrc refusal = StoreErrc::ok;
  std::unique_ptr<OverlayStore> store;
};

class Overlay : public ::testing::Test {
 protected:
  Overlay() {
    machine.start();
    driver = std::make_unique<StoreDriver>(*machine.store);
  }

  // Like StoreDriver's, with somebody who makes layers.
  StoreErrc finish(StoreTag tag) {
    driver->send();
    for (int i = 0; i < 1000 && !driver->is_done(tag); ++i) {
      driver->poll();
      machine.serve();
    }
    return driver->is_done(tag) ? driver->status(tag) : StoreErrc::unsupported;
  }

  StoreErrc write(const MacAddress& mac, std::uint64_t sector, std::uint64_t value) {
    driver->initiator = mac;
    std::vector<std::byte> bytes(kSectorBytes);
    store_le64(bytes, 0, value);
    return finish(driver->add_write(sector * kSectorBytes, bytes, Durability::stable));
  }

  std::uint64_t read(const MacAddress& mac, std::uint64_t sector) {
    driver->initiator = mac;
    std::vector<std::byte> bytes(kSectorBytes);
    EXPECT_EQ(finish(driver->add_read(sector * kSectorBytes, bytes)), StoreErrc::ok);
    return load_le64(bytes, 0);
  }

  OverlayMachine machine;
  std::unique_ptr<StoreDriver> driver;
};

TEST_F(Overlay, EachInitiatorSeesTheBaseAndWhatItWroteItself) {
  const auto before = machine.base_platter.content;
  EXPECT_EQ(read(kAnn, 7), 1'000'007U);
  EXPECT_TRUE(machine.layers.empty()) << "a read makes no layer";
  ASSERT_EQ(write(kAnn, 7, 5), StoreErrc::ok);
  ASSERT_EQ(write(kBob, 7, 6), StoreErrc::ok);
  EXPECT_EQ(read(kAnn, 7), 5U);
  EXPECT_EQ(read(kBob, 7), 6U);
  EXPECT_EQ(read(kBob, 8), 1'000'008U);
  EXPECT_EQ(read({}, 7), 1'000'007U);
  driver->initiator = kAnn;
  ASSERT_EQ(finish(driver->add_range(StoreOpKind::discard, 8 * kSectorBytes, kSectorBytes)),
            StoreErrc::ok);
  EXPECT_EQ(read(kAnn, 8), 0U);
  EXPECT_EQ(read(kBob, 8), 1'000'008U);
  EXPECT_EQ(machine.base_platter.content, before);
  EXPECT_EQ(machine.store->status(kAnn)->layer_sectors, 2U);
}

TEST_F(Overlay, ALayerThatCannotBeMadeFailsTheWriteAndTheNextOneAsksAgain) {
  machine.refusal = StoreErrc::no_space;
  EXPECT_EQ(write(kAnn, 1, 5), StoreErrc::no_space);
  EXPECT_FALSE(machine.store->status(kAnn));
  EXPECT_EQ(read(kAnn, 1), 1'000'001U);
  machine.refusal = StoreErrc::ok;
  EXPECT_EQ(write(kAnn, 1, 5), StoreErrc::ok);
  EXPECT_EQ(read(kAnn, 1), 5U);
}

TEST_F(Overlay, ALayerThatIsThereButCannotBeOpenedFailsItsInitiatorAlone) {
  machine.make(kAnn);
  machine.store->expect(kAnn);
  machine.refusal = StoreErrc::io;
  driver->initiator = kAnn;
  std::vector<std::byte> bytes(kSectorBytes);
  EXPECT_EQ(finish(driver->add_read(0, bytes)), StoreErrc::io) << "the base would be a lie";
  machine.refusal = StoreErrc::ok;
  EXPECT_EQ(finish(driver->add_read(0, bytes)), StoreErrc::io);
  EXPECT_EQ(machine.store->status(kAnn)->phase, OverlayPhase::refused);
  EXPECT_EQ(write(kBob, 0, 3), StoreErrc::ok);
  machine.store->close(kAnn);
  machine.store->forget(kAnn);
  EXPECT_EQ(read(kAnn, 0), 1'000'000U);
}

TEST_F(Overlay, AClosedLayerKeepsItsInitiatorWaitingUntilItIsForgotten) {
  ASSERT_EQ(write(kAnn, 3, 9), StoreErrc::ok);
  machine.store->close(kAnn);
  driver->poll();
  ASSERT_EQ(machine.store->status(kAnn)->phase, OverlayPhase::closed);
  driver->initiator = kAnn;
  std::vector<std::byte> bytes(kSectorBytes);
  const StoreTag waiting = driver->add_read(3 * kSectorBytes, bytes);
  driver->send();
  driver->poll();
  EXPECT_FALSE(driver->is_done(waiting));
  EXPECT_EQ(write(kBob, 3, 8), StoreErrc::ok);
  machine.store->forget(kAnn);
  EXPECT_EQ(finish(waiting), StoreErrc::ok);
  EXPECT_EQ(load_le64(bytes, 0), 1'000'003U);
}

TEST_F(Overlay, WhatOneLayerLostIsNoFailureOfTheOthers) {
  ASSERT_EQ(write(kAnn, 3, 9), StoreErrc::ok);
  ASSERT_EQ(write(kBob, 3, 8), StoreErrc::ok);
  machine.disks.at(kAnn)->fail_flush = StoreErrc::sync_failed;
  EXPECT_EQ(write(kAnn, 4, 9), StoreErrc::io);
  machine.disks.at(kAnn)->fail_flush = StoreErrc::ok;
  EXPECT_EQ(write(kAnn, 4, 9), StoreErrc::io) << "a flush that failed is never believed again";
  EXPECT_EQ(machine.store->status(kAnn)->error, StoreErrc::sync_failed);
  EXPECT_EQ(write(kBob, 4, 8), StoreErrc::ok);
}

TEST_F(Overlay, ALayerWithoutRoomFailsWritesAndKeepsTheRest) {
  ASSERT_EQ(write(kAnn, 3, 9), StoreErrc::ok);
  machine.disks.at(kAnn)->room_sectors = 0;
  EXPECT_EQ(write(kAnn, 4, 9), StoreErrc::no_space);
  EXPECT_TRUE(machine.store->status(kAnn)->is_full);
  EXPECT_EQ(read(kAnn, 3), 9U);
  EXPECT_EQ(read(kAnn, 4), 1'000'004U);
}

TEST_F(Overlay, WhileItIsHeldEverybodyWaits) {
  ASSERT_EQ(write(kAnn, 3, 9), StoreErrc::ok);
  machine.store->hold();
  driver->initiator = kBob;
  std::vector<std::byte> bytes(kSectorBytes);
  const StoreTag read_bob = driver->add_read(3 * kSectorBytes, bytes);
  driver->send();
  driver->poll();
  EXPECT_FALSE(driver->is_done(read_bob));
  EXPECT_TRUE(machine.store->is_quiet());
  machine.store->resume();
  EXPECT_EQ(finish(read_bob), StoreErrc::ok);
}

// ---- power cuts

class OverlayStory {
 public:
  explicit OverlayStory(std::uint64_t seed) : random_(seed) {
    machine_.power.random = Prng(seed);
    for (const MacAddress& mac : kAll) {
      for (std::uint64_t s = 0; s < kSectors; ++s) {
        allowed_[mac][s] = {1'000'000 + s};
      }
    }
    base_ = machine_.base_platter.content;
  }

  OverlayMachine& machine() { return machine_; }

  void live() {
    machine_.start();
    for (int round = 0; round < 14 && machine_.power.is_on(); ++round) {
      submit_some();
      settle();
    }
  }

  void restart(Prng& random) {
    for (const auto& [tag, flight] : in_flight_) {
      for (std::uint64_t s = flight.first; s < flight.first + flight.count; ++s) {
        allowed_[flight.mac][s].insert(flight.value);
      }
    }
    machine_.lose_power(random);
    in_flight_.clear();
    ASSERT_EQ(machine_.base_platter.content, base_);
    machine_.start();
    for (const MacAddress& mac : kAll) {
      check(mac);
    }
  }

 private:
  static constexpr std::array<MacAddress, 3> kAll{kAnn, kBob, MacAddress{{2, 0, 0, 0, 0, 3}}};

  struct Flight {
    MacAddress mac;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t value = 0;
    std::vector<std::byte> data;
  };

  void submit_some() {
    std::vector<StoreOp> ops;
    for (const MacAddress& mac : kAll) {
      if (random_.chance(1, 3)) {
        continue;
      }
      Flight& flight = in_flight_[next_tag_];
      flight.mac = mac;
      flight.count = 1 + random_.below(4);
      flight.first = random_.below(kSectors - flight.count);
      StoreOp op{.tag = StoreTag{next_tag_++},
                 .kind = StoreOpKind::discard,
                 .durability = Durability::stable,
                 .offset_bytes = flight.first * kSectorBytes,
                 .length_bytes = flight.count * kSectorBytes,
                 .data = {},
                 .initiator = mac};
      if (!random_.chance(1, 5)) {
        op.kind = StoreOpKind::write;
        flight.value = next_value_++;
        flight.data.resize(op.length_bytes);
        for (std::uint64_t s = 0; s < flight.count; ++s) {
          store_le64(ByteSpan(flight.data).subspan(s * kSectorBytes), 0, flight.value);
        }
        op.data = flight.data;
      }
      ops.push_back(op);
    }
    machine_.store->submit(now_, ops);
  }

  void settle() {
    std::array<StoreCompletion, 8> out;
    for (int i = 0; i < 400 && machine_.power.is_on() && !in_flight_.empty(); ++i) {
      const std::size_t count = machine_.store->poll_completions(now_, out);
      for (std::size_t k = 0; k < count; ++k) {
        ASSERT_EQ(out[k].status, StoreErrc::ok);
        const auto found = in_flight_.find(out[k].tag.value);
        ASSERT_NE(found, in_flight_.end());
        const Flight& flight = found->second;
        for (std::uint64_t s = flight.first; s < flight.first + flight.count; ++s) {
          allowed_[flight.mac][s] = {flight.value};
        }
        in_flight_.erase(found);
      }
      machine_.serve();
    }
    ASSERT_TRUE(in_flight_.empty() || !machine_.power.is_on()) << "an operation hangs";
  }

  void check(const MacAddress& mac) {
    std::vector<std::byte> bytes(kSectors * kSectorBytes);
    StoreDriver driver(*machine_.store);
    driver.initiator = mac;
    const StoreTag tag = driver.add_read(0, bytes);
    driver.send();
    for (int i = 0; i < 400 && !driver.is_done(tag); ++i) {
      driver.poll();
      machine_.serve();
    }
    ASSERT_TRUE(driver.is_done(tag));
    ASSERT_EQ(driver.status(tag), StoreErrc::ok);
    for (std::uint64_t s = 0; s < kSectors; ++s) {
      const std::uint64_t value = load_le64(ConstByteSpan(bytes).subspan(s * kSectorBytes, 8), 0);
      ASSERT_TRUE(allowed_[mac][s].contains(value))
          << to_string(mac) << ": sector " << s << " has " << value;
    }
  }

  Prng random_;
  OverlayMachine machine_;
  std::map<MacAddress, std::array<std::set<std::uint64_t>, kSectors>> allowed_;
  std::vector<SectorBytes> base_;
  std::map<std::uint32_t, Flight> in_flight_;
  std::uint32_t next_tag_ = 1;
  std::uint64_t next_value_ = 1;
  Instant now_{1'000'000'000};
};

TEST(OverlayCrash, EveryCutLeavesEachInitiatorWhatItWasToldAndTheBaseAsItWas) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    std::uint64_t operations = 0;
    {
      OverlayStory whole(seed);
      whole.live();
      operations = whole.machine().power.operations;
      ASSERT_EQ(whole.machine().layers.size(), 3U);
    }
    for (std::uint64_t cut = 1; cut <= operations; ++cut) {
      SCOPED_TRACE(::testing::Message() << "seed " << seed << ", cut at " << cut);
      OverlayStory story(seed);
      story.machine().power.off_at = cut;
      story.live();
      Prng random(seed * 1000 + cut);
      story.restart(random);
      if (::testing::Test::HasFatalFailure()) {
        return;
      }
    }
  }
}

}  // namespace
}  // namespace aoe::testing
