// Checksums at rest: rot is met, and neither a power cut nor a torn write is taken for it.
#include "storage/integrity_store.h"

#include "storage/group_commit_store.h"
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

using storage::IntegrityRecord;
using storage::IntegrityStore;
using storage::kIntegrityRecordBytes;
using storage::kIntegrityRecordsAtBytes;
using storage::kSectorsPerRecord;
using storage::ScrubState;

constexpr std::uint64_t kSectors = 300;  // more than five records

class IntegrityMachine {
 public:
  void start() {
    auto base = std::make_unique<SimDisk>(base_platter, power);
    auto sums = std::make_unique<SimDisk>(sums_platter, power);
    base_disk = base.get();
    sums_disk = sums.get();
    store = std::make_unique<IntegrityStore>(
        std::make_unique<storage::GroupCommitStore>(std::move(base)),
        std::make_unique<storage::GroupCommitStore>(std::move(sums)), kSectors);
  }

  void lose_power(Prng& random) {
    base_disk->lose_cache(random);
    sums_disk->lose_cache(random);
    store.reset();
    power = Power{.random = Prng(random.next())};
  }

  Power power;
  Platter base_platter{kSectors};
  Platter sums_platter{storage::integrity_file_bytes(kSectors) / kSectorBytes};
  SimDisk* base_disk = nullptr;
  SimDisk* sums_disk = nullptr;
  std::unique_ptr<IntegrityStore> store;
};

class Integrity : public ::testing::Test {
 protected:
  Integrity() { restart(); }

  // Everything is on the platters.
  void restart() {
    if (driver != nullptr) {
      EXPECT_EQ(driver->flush(), StoreErrc::ok);
      Prng random(1);
      machine.lose_power(random);
    }
    machine.start();
    driver = std::make_unique<StoreDriver>(*machine.store);
  }

  StoreErrc write(std::uint64_t sector, std::uint64_t count, unsigned seed) {
    auto bytes = pattern(count * kSectorBytes, seed);
    return driver->write(sector * kSectorBytes, bytes);
  }

  StoreErrc read(std::uint64_t sector, std::uint64_t count) {
    bytes_read.resize(count * kSectorBytes);
    return driver->read(sector * kSectorBytes, bytes_read);
  }

  void rot(std::uint64_t sector) {
    restart();
    machine.base_platter.content[sector][100] ^= std::byte{4};
  }

  void scrub(std::uint64_t rate = 0) {
    machine.store->begin_scrub(rate);
    for (int i = 0; i < 100'000 && machine.store->scrub().state == ScrubState::running; ++i) {
      if (const auto next = machine.store->poll_timeout()) {
        driver->now = std::max(driver->now, *next);
      }
      driver->poll();
    }
  }

  IntegrityMachine machine;
  std::unique_ptr<StoreDriver> driver;
  std::vector<std::byte> bytes_read;
};

TEST_F(Integrity, WhatWasWrittenIsReadAndOneFlippedBitIsAnErrorAtItsSector) {
  ASSERT_EQ(write(50, 20, 1), StoreErrc::ok);
  ASSERT_EQ(read(40, 40), StoreErrc::ok);
  EXPECT_TRUE(std::equal(bytes_read.begin() + 10 * kSectorBytes,
                         bytes_read.begin() + 30 * kSectorBytes, pattern(20 * 512, 1).begin()));
  rot(61);
  const StoreTag tag = driver->add_read(50 * kSectorBytes, bytes_read);
  ASSERT_TRUE(driver->finish());
  EXPECT_EQ(driver->status(tag), StoreErrc::rotten);
  EXPECT_EQ(driver->error_offset(tag), 61 * kSectorBytes);
  EXPECT_EQ(machine.store->integrity().rotten_sectors, 1U);
  EXPECT_EQ(machine.store->integrity().last_rotten_sector, 61U);
  EXPECT_EQ(read(50, 11), StoreErrc::ok);
  // Written anew it is sound again.
  ASSERT_EQ(write(61, 1, 9), StoreErrc::ok);
  EXPECT_EQ(read(50, 20), StoreErrc::ok);
}

TEST_F(Integrity, ARangeThatIsDiscardedIsZerosAndChecked) {
  ASSERT_EQ(write(0, 200, 1), StoreErrc::ok);
  ASSERT_EQ(driver->range(StoreOpKind::discard, 50 * kSectorBytes, 100 * kSectorBytes),
            StoreErrc::ok);
  ASSERT_EQ(read(0, 200), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(std::span(bytes_read).subspan(50 * 512, 100 * 512)));
  rot(99);
  EXPECT_EQ(read(90, 20), StoreErrc::rotten);
}

TEST_F(Integrity, AScrubLearnsWhatIsThereAndFindsWhatRots) {
  ASSERT_EQ(write(0, 10, 1), StoreErrc::ok);
  scrub();
  EXPECT_EQ(machine.store->scrub().state, ScrubState::done);
  EXPECT_EQ(machine.store->scrub().learned_sectors, kSectors - 10);
  EXPECT_EQ(machine.store->scrub().rotten_sectors, 0U);
  rot(5);
  machine.base_platter.content[250][0] ^= std::byte{1};
  scrub();
  const auto& status = machine.store->scrub();
  EXPECT_EQ(status.learned_sectors, 0U);
  EXPECT_EQ(status.rotten_sectors, 2U);
  EXPECT_EQ(status.first_rotten, (std::vector<std::uint64_t>{5, 250}));
  EXPECT_EQ(status.position, kSectors);
  EXPECT_EQ(read(250, 1), StoreErrc::rotten);
}

TEST_F(Integrity, AScrubKeepsToItsRateAndStopsWhenTold) {
  machine.store->begin_scrub(16 * kSectorsPerRecord * kSectorBytes);
  const Instant begin = driver->now;
  for (int i = 0; i < 1000; ++i) {
    driver->poll();
  }
  EXPECT_EQ(machine.store->scrub().state, ScrubState::running) << "a window a second";
  machine.store->stop_scrub();
  EXPECT_EQ(machine.store->scrub().state, ScrubState::stopped);
  driver->now = begin + Duration::seconds(100);
  const std::uint64_t position = machine.store->scrub().position;
  driver->poll();
  EXPECT_EQ(machine.store->scrub().position, position);
  EXPECT_FALSE(machine.store->is_working());
}

TEST_F(Integrity, SumsThatAreDamagedAreCountedAndLearnedAgain) {
  ASSERT_EQ(write(0, 10, 1), StoreErrc::ok);
  restart();
  machine.sums_platter.content[kIntegrityRecordsAtBytes / kSectorBytes][70] ^= std::byte{1};
  EXPECT_EQ(read(0, 10), StoreErrc::ok);
  EXPECT_EQ(machine.store->integrity().damaged_records, 1U);
  scrub();
  EXPECT_EQ(machine.store->scrub().learned_sectors, kSectors);
}

TEST_F(Integrity, WithoutItsSumNothingIsWritten) {
  machine.sums_disk->fail_write = StoreErrc::no_space;
  EXPECT_EQ(write(0, 10, 1), StoreErrc::no_space);
  machine.sums_disk->fail_write = StoreErrc::ok;
  ASSERT_EQ(read(0, 10), StoreErrc::ok);
  EXPECT_TRUE(is_all_zero(bytes_read));
}

TEST_F(Integrity, ChangesOfNeighboursWaitForEachOther) {
  std::vector<std::vector<std::byte>> data;
  std::vector<StoreTag> tags;
  for (unsigned i = 0; i < 40; ++i) {
    data.push_back(pattern(3 * kSectorBytes, i));
    tags.push_back(driver->add_write(i * 3 * kSectorBytes, data.back()));
  }
  ASSERT_TRUE(driver->finish());
  for (const StoreTag tag : tags) {
    EXPECT_EQ(driver->status(tag), StoreErrc::ok);
  }
  ASSERT_EQ(read(0, 120), StoreErrc::ok);
  restart();
  ASSERT_EQ(read(0, 120), StoreErrc::ok);
  rot(77);
  EXPECT_EQ(read(0, 120), StoreErrc::rotten);
}

TEST(IntegrityRecord, ComesBackAsItWasWrittenAndDamageIsSeen) {
  IntegrityRecord record;
  for (std::size_t i = 0; i < kSectorsPerRecord; ++i) {
    record.sectors[i] = {static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i * 7)};
  }
  std::vector<std::byte> bytes(kIntegrityRecordBytes);
  storage::encode_integrity_record(record, 5, bytes);
  EXPECT_EQ(storage::decode_integrity_record(bytes, 5), record);
  EXPECT_FALSE(storage::decode_integrity_record(bytes, 6));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= std::byte{1};
    EXPECT_FALSE(storage::decode_integrity_record(bytes, 5)) << i;
    bytes[i] ^= std::byte{1};
  }
  EXPECT_EQ(storage::decode_integrity_record(std::vector<std::byte>(kIntegrityRecordBytes), 9),
            IntegrityRecord{});
}

TEST(IntegrityHeader, ComesBackAsItWasWrittenAndDamageIsSeen) {
  const storage::IntegrityHeader header{
      .name_hash = 7, .capacity_sectors = 9, .created_unix_seconds = 11};
  auto bytes = storage::encode_integrity_header(header);
  const auto back = storage::decode_integrity_header(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, header);
  bytes[20] ^= std::byte{1};
  EXPECT_FALSE(storage::decode_integrity_header(bytes));
}

// ---- power cuts

class IntegrityStory {
 public:
  explicit IntegrityStory(std::uint64_t seed) : random_(seed) {
    machine_.power.random = Prng(seed);
    for (auto& values : allowed_) {
      values = {0};
    }
  }

  IntegrityMachine& machine() { return machine_; }

  void live() {
    machine_.start();
    machine_.store->begin_scrub(0);
    run(12);
  }

  void restart(Prng& random) {
    for (int cut = 0; cut < 3; ++cut) {
      for (const auto& [tag, flight] : in_flight_) {
        for (std::uint64_t s = flight.first; s < flight.first + flight.count; ++s) {
          allowed_[s].insert(flight.value);
        }
      }
      machine_.lose_power(random);
      in_flight_.clear();
      machine_.start();
      check();
      if (::testing::Test::HasFatalFailure()) {
        return;
      }
      machine_.power.off_at = machine_.power.operations + random.below(120);
      run(6);
    }
    for (const auto& [tag, flight] : in_flight_) {
      for (std::uint64_t s = flight.first; s < flight.first + flight.count; ++s) {
        allowed_[s].insert(flight.value);
      }
    }
    machine_.lose_power(random);
    in_flight_.clear();
    // Rot is found in whatever state the cuts left.
    const std::uint64_t victim = random.below(kSectors);
    machine_.base_platter.content[victim][200] ^= std::byte{0x10};
    machine_.start();
    machine_.store->begin_scrub(0);
    StoreDriver driver(*machine_.store);
    for (int i = 0; i < 10'000 && machine_.store->scrub().state == ScrubState::running; ++i) {
      driver.poll();
    }
    const auto& scrub = machine_.store->scrub();
    ASSERT_EQ(scrub.state, ScrubState::done);
    ASSERT_LE(scrub.rotten_sectors, 1U) << "good data is called rotten";
    if (scrub.learned_sectors == 0) {
      ASSERT_EQ(scrub.first_rotten, (std::vector<std::uint64_t>{victim}));
    }
  }

 private:
  struct Flight {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t value = 0;
    std::vector<std::byte> data;
  };

  void run(int rounds) {
    for (int round = 0; round < rounds && machine_.power.is_on(); ++round) {
      submit_some();
      std::array<StoreCompletion, 8> out;
      for (int i = 0; i < 2000 && machine_.power.is_on() && !in_flight_.empty(); ++i) {
        const std::size_t count = machine_.store->poll_completions(now_, out);
        for (std::size_t k = 0; k < count; ++k) {
          ASSERT_EQ(out[k].status, StoreErrc::ok);
          const auto found = in_flight_.find(out[k].tag.value);
          ASSERT_NE(found, in_flight_.end());
          const Flight& flight = found->second;
          for (std::uint64_t s = flight.first; s < flight.first + flight.count; ++s) {
            allowed_[s] = {flight.value};
          }
          in_flight_.erase(found);
        }
      }
      ASSERT_TRUE(in_flight_.empty() || !machine_.power.is_on()) << "an operation hangs";
    }
  }

  void submit_some() {
    std::vector<StoreOp> ops;
    for (std::uint64_t part = 0; part < 4; ++part) {
      Flight& flight = in_flight_[next_tag_];
      flight.count = 1 + random_.below(12);
      flight.first = part * 75 + random_.below(75 - flight.count);
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

  void check() {
    std::vector<std::byte> bytes(kSectors * kSectorBytes);
    StoreDriver driver(*machine_.store);
    ASSERT_EQ(driver.read(0, bytes), StoreErrc::ok) << "good data is called rotten";
    for (std::uint64_t s = 0; s < kSectors; ++s) {
      const std::uint64_t value = load_le64(ConstByteSpan(bytes).subspan(s * kSectorBytes, 8), 0);
      ASSERT_TRUE(allowed_[s].contains(value)) << "sector " << s << " has " << value;
      allowed_[s] = {value};
    }
  }

  Prng random_;
  IntegrityMachine machine_;
  std::array<std::set<std::uint64_t>, kSectors> allowed_;
  std::map<std::uint32_t, Flight> in_flight_;
  std::uint32_t next_tag_ = 1;
  std::uint64_t next_value_ = 1;
  Instant now_{1'000'000'000};
};

TEST(IntegrityCrash, NoCutMakesGoodDataRottenOrHidesRot) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    std::uint64_t operations = 0;
    {
      IntegrityStory whole(seed);
      whole.live();
      operations = whole.machine().power.operations;
    }
    for (std::uint64_t cut = 1; cut <= operations; ++cut) {
      SCOPED_TRACE(::testing::Message() << "seed " << seed << ", cut at " << cut);
      IntegrityStory story(seed);
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
