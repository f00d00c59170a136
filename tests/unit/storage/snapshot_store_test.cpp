// Snapshots of a store that goes on: each stays what it was, through writes, removals of others and
// power cuts.
#include "storage/snapshot_store.h"

#include "storage/group_commit_store.h"
#include "support/layer_machine.h"
#include "support/sim_disk.h"
#include "support/store_driver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace aoe::testing {
namespace {

using storage::LayerPhase;
using storage::LayerState;
using storage::SnapshotStore;

constexpr std::uint64_t kSectors = 48;

// A machine with a base disk, and a disk for every layer; `chain` is what a record would say.
class SnapshotMachine {
 public:
  struct Entry {
    std::uint64_t number = 0;
    bool is_going = false;
  };

  void start() {
    auto base = std::make_unique<SimDisk>(base_platter, power);
    base_disk = base.get();
    store = std::make_unique<SnapshotStore>(
        std::make_unique<storage::GroupCommitStore>(std::move(base)), 32);
    for (std::size_t i = 0; i < chain.size();) {
      auto content = replay(chain[i].number);
      ASSERT_TRUE(content) << content.error().message;
      const LayerState state = content->header.state;
      if (state == LayerState::merged || state == LayerState::preparing) {
        ASSERT_TRUE(state == LayerState::merged || i + 1 == chain.size());
        chain.erase(chain.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      store->put(open(chain[i].number, *std::move(content)));
      ++i;
    }
  }

  void take() {
    const std::uint64_t number = next_number++;
    auto header = new_layer_header(kSectors);
    header.id = {7, number};
    Platter platter(storage::layer_layout(kSectors).file_bytes / kSectorBytes);
    copy_bytes(platter.content[storage::header_offset_bytes(1) / kSectorBytes],
               storage::encode_header(header));
    layers.insert_or_assign(number, std::move(platter));
    chain.push_back({number, false});
    store->take(open(number, *replay(number)));
  }

  // What targetd does after every turn.
  void serve() {
    while (const auto gone = store->next_gone()) {
      std::erase_if(chain, [&](const Entry& entry) { return entry.number == gone->low; });
    }
  }

  storage::OpenedLayer open(std::uint64_t number, storage::ReplayedLayer content) {
    auto disk = std::make_unique<SimDisk>(layers.at(number), power);
    disks.push_back(disk.get());
    last_disk = disk.get();
    return {.file = std::make_unique<Watched>(std::move(disk), disks),
            .content = std::move(content)};
  }

  [[nodiscard]] Result<storage::ReplayedLayer> replay(std::uint64_t number) const {
    const Platter& platter = layers.at(number);
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
    base_disk->lose_cache(random);
    for (SimDisk* disk : disks) {
      disk->lose_cache(random);
    }
    store.reset();
    power = Power{.random = Prng(random.next())};
  }

  Power power;
  Platter base_platter{kSectors};
  std::map<std::uint64_t, Platter> layers;
  std::vector<SimDisk*> disks;
  SimDisk* base_disk = nullptr;
  SimDisk* last_disk = nullptr;  // of the newest layer
  std::vector<Entry> chain;
  std::uint64_t next_number = 1;
  std::unique_ptr<SnapshotStore> store;

 private:
  // Leaves the list of disks when it is closed.
  class Watched final : public storage::FilterStore {
   public:
    Watched(std::unique_ptr<SimDisk> disk, std::vector<SimDisk*>& disks)
        : FilterStore(std::move(disk)), disk_(static_cast<SimDisk*>(&next())), disks_(disks) {}

    ~Watched() override { std::erase(disks_, disk_); }

    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

    void submit(Instant now, std::span<const StoreOp> ops) override { next().submit(now, ops); }

    [[nodiscard]] std::size_t poll_completions(Instant now,
                                               std::span<StoreCompletion> out) override {
      return next().poll_completions(now, out);
    }

   private:
    SimDisk* disk_;
    std::vector<SimDisk*>& disks_;
  };
};

using Content = std::array<std::uint64_t, kSectors>;

class Snapshots : public ::testing::Test {
 protected:
  Snapshots() {
    machine.start();
    driver = std::make_unique<StoreDriver>(*machine.store);
  }

  void write(std::uint64_t sector, std::uint64_t value) {
    std::vector<std::byte> bytes(kSectorBytes);
    store_le64(bytes, 0, value);
    ASSERT_EQ(driver->write(sector * kSectorBytes, bytes, Durability::stable), StoreErrc::ok);
  }

  void take() {
    machine.take();
    settle();
    ASSERT_FALSE(machine.store->take_error());
  }

  void remove(std::size_t index) {
    machine.store->remove(index);
    settle();
  }

  void settle() {
    for (int i = 0; i < 1000 && machine.store->is_working(); ++i) {
      driver->poll();
      machine.serve();
    }
    ASSERT_FALSE(machine.store->is_working());
  }

  static std::uint64_t read(storage::BlockStore& store, std::uint64_t sector) {
    StoreDriver reader(store);
    std::vector<std::byte> bytes(kSectorBytes);
    EXPECT_EQ(reader.read(sector * kSectorBytes, bytes), StoreErrc::ok);
    return load_le64(bytes, 0);
  }

  SnapshotMachine machine;
  std::unique_ptr<StoreDriver> driver;
};

TEST_F(Snapshots, EachStaysWhatItWasWhileTheStoreGoesOn) {
  write(1, 10);
  take();
  write(1, 20);
  write(2, 21);
  take();
  write(1, 30);
  const auto first = machine.store->open_view(0);
  const auto second = machine.store->open_view(1);
  EXPECT_EQ(read(*first, 1), 10U);
  EXPECT_EQ(read(*first, 2), 0U);
  EXPECT_EQ(read(*second, 1), 20U);
  EXPECT_EQ(read(*second, 2), 21U);
  EXPECT_EQ(read(*machine.store, 1), 30U);
  EXPECT_TRUE(first->info().is_read_only);
}

TEST_F(Snapshots, OneThatGoesTakesItsLayerAndLeavesTheOthers) {
  for (std::uint64_t i = 0; i < 4; ++i) {
    write(1, 10 + i);
    write(10 + i, 1);
    take();
  }
  write(1, 99);
  const auto first = machine.store->open_view(0);
  const auto last = machine.store->open_view(3);
  remove(1);  // in the middle
  EXPECT_EQ(machine.store->snapshots(), 3U);
  EXPECT_EQ(read(*first, 1), 10U);
  EXPECT_EQ(read(*last, 1), 13U);
  EXPECT_EQ(read(*machine.store->open_view(1), 1), 12U);
  remove(2);  // the newest: what was `last` may not be read any more
  EXPECT_EQ(read(*machine.store, 1), 99U);
  EXPECT_EQ(read(*machine.store->open_view(1), 1), 12U);
  remove(0);
  EXPECT_EQ(read(*machine.store->open_view(0), 1), 12U);
  remove(0);
  EXPECT_EQ(machine.store->snapshots(), 0U);
  EXPECT_TRUE(machine.chain.empty());
  EXPECT_EQ(read(*machine.store, 1), 99U);
  EXPECT_EQ(load_le64(machine.base_disk->peek(1), 0), 99U);
}

TEST_F(Snapshots, AViewOfWhatGoesIsRefusedRatherThanMixed) {
  write(1, 10);
  take();
  write(1, 20);
  const auto view = machine.store->open_view(0);
  machine.store->remove(0);
  StoreDriver reader(*view);
  std::vector<std::byte> bytes(kSectorBytes);
  EXPECT_EQ(reader.read(kSectorBytes, bytes), StoreErrc::io);
  settle();
  EXPECT_EQ(reader.read(kSectorBytes, bytes), StoreErrc::io);
}

TEST_F(Snapshots, ALayerWithoutRoomGivesUpTheSnapshotAndNoWriteFails) {
  write(1, 10);
  take();
  const auto view = machine.store->open_view(0);
  machine.last_disk->room_sectors = 2;  // for what the layer itself needs
  std::vector<std::byte> many(4 * kSectorBytes);
  store_le64(many, 0, 20);
  ASSERT_EQ(driver->write(kSectorBytes, many, Durability::stable), StoreErrc::ok);
  settle();
  EXPECT_EQ(machine.store->snapshots(), 0U);
  EXPECT_EQ(read(*machine.store, 1), 20U);
  StoreDriver reader(*view);
  std::vector<std::byte> bytes(kSectorBytes);
  EXPECT_EQ(reader.read(kSectorBytes, bytes), StoreErrc::io);
}

TEST_F(Snapshots, OneThatCannotBeTakenLeavesTheStoreAsItWas) {
  write(1, 10);
  machine.take();
  machine.last_disk->fail_write = StoreErrc::io;
  settle();
  EXPECT_EQ(machine.store->take_error(), StoreErrc::io);
  EXPECT_EQ(machine.store->snapshots(), 0U);
  write(1, 11);
  EXPECT_EQ(read(*machine.store, 1), 11U);
}

TEST_F(Snapshots, AViewMayOutliveTheStore) {
  write(1, 10);
  take();
  const auto view = machine.store->open_view(0);
  machine.store.reset();
  EXPECT_EQ(read(*view, 1), 10U);
}

// ---- power cuts

class SnapshotStory {
 public:
  explicit SnapshotStory(std::uint64_t seed) : random_(seed) {
    machine_.power.random = Prng(seed);
    for (auto& values : allowed_) {
      values = {0};
    }
  }

  SnapshotMachine& machine() { return machine_; }

  void live() {
    machine_.start();
    for (int round = 0; round < 30 && machine_.power.is_on(); ++round) {
      submit_some();
      if (round % 6 == 3) {
        take();
      } else if (round % 9 == 8 && machine_.store->snapshots() > 0) {
        remove();
      }
      settle();
      look_at_snapshots();
    }
  }

  void restart(Prng& random) {
    for (const auto& entry : in_flight_) {
      const Flight& flight = entry.second;
      for_sectors(flight, [&](std::uint64_t s) { allowed_[s].insert(flight.value); });
    }
    machine_.lose_power(random);
    in_flight_.clear();
    machine_.start();
    if (::testing::Test::HasFatalFailure()) {
      return;
    }
    settle();
    for (std::size_t i = 0; i < machine_.chain.size(); ++i) {
      const auto known = snapshots_.find(machine_.chain[i].number);
      if (known == snapshots_.end() || machine_.chain[i].is_going) {
        continue;
      }
      const Content seen = content_of(*machine_.store->open_view(i));
      ASSERT_EQ(seen, known->second) << "snapshot " << known->first;
    }
    const Content now = content_of(*machine_.store);
    for (std::uint64_t s = 0; s < kSectors; ++s) {
      ASSERT_TRUE(allowed_[s].contains(now[s])) << "sector " << s << " has " << now[s];
    }
    // Removals go on; all of them, at the end.
    while (!machine_.chain.empty()) {
      machine_.store->remove(0);
      for (int i = 0; i < 4000 && machine_.store->is_working(); ++i) {
        poll();
      }
    }
    ASSERT_EQ(content_of(*machine_.store), now);
  }

 private:
  struct Flight {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t value = 0;
    std::vector<std::byte> data;
  };

  template <class Function>
  static void for_sectors(const Flight& flight, Function function) {
    for (std::uint64_t s = flight.first; s < flight.first + flight.count; ++s) {
      function(s);
    }
  }

  void submit_some() {
    std::vector<StoreOp> ops;
    for (std::uint64_t third = 0; third < 3; ++third) {
      Flight& flight = in_flight_[next_tag_];
      flight.count = 1 + random_.below(4);
      flight.first = third * 16 + random_.below(16 - flight.count);
      StoreOp op{.tag = StoreTag{next_tag_++},
                 .kind = StoreOpKind::discard,
                 .durability = Durability::stable,
                 .offset_bytes = flight.first * kSectorBytes,
                 .length_bytes = flight.count * kSectorBytes,
                 .data = {}};
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

  void take() { machine_.take(); }

  void remove() {
    const std::uint64_t index = random_.below(machine_.store->snapshots());
    machine_.chain[index].is_going = true;
    snapshots_.erase(machine_.chain[index].number);
    machine_.store->remove(index);
  }

  void poll() {
    std::array<StoreCompletion, 8> out;
    const std::size_t count = machine_.store->poll_completions(now_, out);
    for (std::size_t k = 0; k < count; ++k) {
      ASSERT_EQ(out[k].status, StoreErrc::ok);
      const auto found = in_flight_.find(out[k].tag.value);
      ASSERT_NE(found, in_flight_.end());
      const Flight& flight = found->second;
      for_sectors(flight, [&](std::uint64_t s) { allowed_[s] = {flight.value}; });
      in_flight_.erase(found);
    }
    machine_.serve();
  }

  void settle() {
    for (int i = 0; i < 4000 && machine_.power.is_on() &&
                    (!in_flight_.empty() || machine_.store->is_working());
         ++i) {
      poll();
    }
    ASSERT_TRUE((in_flight_.empty() && !machine_.store->is_working()) || !machine_.power.is_on())
        << "something hangs";
  }

  // What a snapshot has when it is seen first, it has for ever.
  void look_at_snapshots() {
    for (std::size_t i = 0; i < machine_.chain.size() && machine_.power.is_on(); ++i) {
      const std::uint64_t number = machine_.chain[i].number;
      const auto view = machine_.store->open_view(i);
      const auto seen = try_content_of(*view);
      if (!seen) {
        return;  // the power went
      }
      const auto [known, is_new] = snapshots_.try_emplace(number, *seen);
      ASSERT_TRUE(is_new || known->second == *seen) << "snapshot " << number << " has changed";
    }
  }

  std::optional<Content> try_content_of(storage::BlockStore& store) {
    std::vector<std::byte> bytes(kSectors * kSectorBytes);
    StoreDriver driver(store);
    const StoreTag tag = driver.add_read(0, bytes);
    driver.send();
    for (int i = 0; i < 400 && !driver.is_done(tag) && machine_.power.is_on(); ++i) {
      driver.poll();
    }
    if (!driver.is_done(tag) || driver.status(tag) != StoreErrc::ok) {
      return std::nullopt;
    }
    Content content{};
    for (std::uint64_t s = 0; s < kSectors; ++s) {
      content[s] = load_le64(ConstByteSpan(bytes).subspan(s * kSectorBytes, 8), 0);
    }
    return content;
  }

  Content content_of(storage::BlockStore& store) {
    const auto content = try_content_of(store);
    EXPECT_TRUE(content);
    return content.value_or(Content{});
  }

  Prng random_;
  SnapshotMachine machine_;
  std::array<std::set<std::uint64_t>, kSectors> allowed_;
  std::map<std::uint64_t, Content> snapshots_;
  std::map<std::uint32_t, Flight> in_flight_;
  std::uint32_t next_tag_ = 1;
  std::uint64_t next_value_ = 1;
  Instant now_{1'000'000'000};
};

TEST(SnapshotCrash, EveryCutLeavesTheStoreAndEverySnapshot) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    std::uint64_t operations = 0;
    {
      SnapshotStory whole(seed);
      whole.live();
      operations = whole.machine().power.operations;
      ASSERT_GE(whole.machine().chain.size(), 1U);
      if (::testing::Test::HasFatalFailure()) {
        return;
      }
    }
    for (std::uint64_t cut = 1; cut <= operations; ++cut) {
      SCOPED_TRACE(::testing::Message() << "seed " << seed << ", cut at " << cut);
      SnapshotStory story(seed);
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
