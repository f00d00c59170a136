// A power cut at every operation that reaches a disk: what was acknowledged is there afterwards,
// and the base of a frozen store is what it was.
#include "support/layer_machine.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace aoe::testing {
namespace {

using storage::LayerPhase;
using storage::LayerState;

constexpr std::uint64_t kSectors = 96;
constexpr int kRounds = 26;
constexpr storage::LayeredOptions kOptions{.merge_window_sectors = 16};

// The values that a sector may have: the last one acknowledged, and those of writes in doubt. A
// value stands in the first bytes of a sector; 0 is a sector of zeros.
using Values = std::array<std::set<std::uint64_t>, kSectors>;

struct InFlight {
  StoreOp op;
  std::uint64_t value = 0;
  std::vector<std::byte> data;
};

class Story {
 public:
  Story(std::uint64_t seed, Durability durability)
      : random_(seed), durability_(durability), machine_(kSectors) {
    for (auto& values : allowed_) {
      values = {0};
    }
    machine_.power.random = Prng(seed);
  }

  LayerMachine& machine() { return machine_; }

  // A disk that was written to before, frozen, written to, and thawed, with operations under way
  // all the time. Ends early when the power goes.
  void live() {
    machine_.start(kOptions);
    for (int round = 0; round < kRounds && machine_.power.is_on(); ++round) {
      if (round % 7 == 6) {
        submit_flush();
      } else {
        submit_some();
      }
      if (round == 5) {
        machine_.make_layer();
        auto layer = machine_.replay();
        ASSERT_TRUE(layer);
        machine_.attach(*std::move(layer));
      }
      if (round == 16) {
        machine_.store->begin_merge();
        frozen_.clear();
      }
      settle();
      if (machine_.store->status().phase == LayerPhase::active && frozen_.empty() && round < 16) {
        remember_base();
      }
    }
    finish_merge();
  }

  void finish_merge() {
    for (int i = 0;
         i < 1000 && machine_.power.is_on() && machine_.store->status().phase != LayerPhase::merged;
         ++i) {
      settle();
    }
  }

  // After the cut: everything anew from what the disks kept.
  void restart(Prng& random) {
    for (const auto& [tag, flight] : in_flight_) {
      doubt(flight);
    }
    machine_.lose_power(random);
    in_flight_.clear();
    machine_.start(kOptions);
    check_frozen_base();
    auto layer = machine_.replay();
    // Before make_layer there is none.
    if (layer && layer->header.state != LayerState::preparing &&
        layer->header.state != LayerState::merged) {
      const bool is_frozen = layer->header.state == LayerState::active;
      machine_.attach(*std::move(layer));
      settle();
      check_all("after the cut");
      if (cuts_left_ > 0) {
        // And once more, in the middle of what comes now.
        --cuts_left_;
        machine_.power.off_at = machine_.power.operations + random.below(40);
        if (!is_frozen) {
          frozen_.clear();
        }
        while (machine_.power.is_on()) {
          submit_some();
          settle();
        }
        restart(random);
        return;
      }
      frozen_.clear();
      submit_some();
      settle();
      machine_.store->begin_merge();
      finish_merge();
      ASSERT_EQ(machine_.store->status().phase, LayerPhase::merged);
      check_all("after the merge");
      (void)machine_.store->detach();
      check_all("from the base");
    } else {
      check_all("without a layer");
    }
  }

 private:
  void submit_some() {
    std::vector<StoreOp> ops;
    std::set<std::uint64_t> taken;
    const std::uint64_t count = 1 + random_.below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t length = 1 + random_.below(6);
      const std::uint64_t first = random_.below(kSectors - length);
      bool is_free = true;
      for (std::uint64_t s = first; s < first + length; ++s) {
        is_free = is_free && !taken.contains(s);
      }
      if (!is_free) {
        continue;  // the core lets no two of them overlap
      }
      for (std::uint64_t s = first; s < first + length; ++s) {
        taken.insert(s);
      }
      InFlight& flight = in_flight_[next_tag_];
      flight.op = {.tag = StoreTag{next_tag_++},
                   .kind = StoreOpKind::write,
                   .durability = durability_,
                   .offset_bytes = first * kSectorBytes,
                   .length_bytes = length * kSectorBytes,
                   .data = {}};
      if (random_.chance(1, 5)) {
        flight.op.kind = StoreOpKind::discard;
      } else {
        flight.value = next_value_++;
        flight.data.resize(length * kSectorBytes);
        for (std::uint64_t s = 0; s < length; ++s) {
          store_le64(ByteSpan(flight.data).subspan(s * kSectorBytes), 0, flight.value);
        }
        flight.op.data = flight.data;
      }
      ops.push_back(flight.op);
    }
    machine_.store->submit(now_, ops);
  }

  void submit_flush() {
    InFlight& flight = in_flight_[next_tag_];
    flight.op = {.tag = StoreTag{next_tag_++}, .kind = StoreOpKind::flush, .data = {}};
    machine_.store->submit(now_, std::span(&flight.op, 1));
  }

  void settle() {
    std::array<StoreCompletion, 8> out;
    for (int i = 0;
         i < 400 && machine_.power.is_on() &&
         (!in_flight_.empty() || machine_.store->status().phase == LayerPhase::settling || i < 2);
         ++i) {
      const std::size_t count = machine_.store->poll_completions(now_, out);
      for (std::size_t k = 0; k < count; ++k) {
        ASSERT_EQ(out[k].status, StoreErrc::ok);
        const auto found = in_flight_.find(out[k].tag.value);
        ASSERT_NE(found, in_flight_.end());
        acknowledge(found->second);
        in_flight_.erase(found);
      }
    }
    ASSERT_TRUE(in_flight_.empty() || !machine_.power.is_on()) << "an operation hangs";
  }

  void acknowledge(const InFlight& flight) {
    if (flight.op.kind == StoreOpKind::flush) {
      for (std::uint64_t s = 0; s < kSectors; ++s) {
        allowed_[s] = {last_[s]};
      }
      return;
    }
    for_sectors(flight, [&](std::uint64_t s) {
      last_[s] = flight.value;
      if (durability_ == Durability::stable) {
        allowed_[s] = {flight.value};
      } else {
        allowed_[s].insert(flight.value);  // it may be lost, but nothing else may come
      }
    });
  }

  void doubt(const InFlight& flight) {
    for_sectors(flight, [&](std::uint64_t s) { allowed_[s].insert(flight.value); });
  }

  template <class Function>
  static void for_sectors(const InFlight& flight, Function function) {
    const std::uint64_t first = flight.op.offset_bytes / kSectorBytes;
    for (std::uint64_t s = first; s < first + flight.op.length_bytes / kSectorBytes; ++s) {
      function(s);
    }
  }

  void check_all(const char* when) {
    std::vector<std::byte> bytes(kSectors * kSectorBytes);
    const StoreOp read{.tag = StoreTag{9999},
                       .kind = StoreOpKind::read,
                       .length_bytes = bytes.size(),
                       .data = bytes};
    machine_.store->submit(now_, std::span(&read, 1));
    std::array<StoreCompletion, 1> out;
    std::size_t count = 0;
    for (int i = 0; i < 100 && count == 0; ++i) {
      count = machine_.store->poll_completions(now_, out);
    }
    ASSERT_EQ(count, 1U);
    for (std::uint64_t s = 0; s < kSectors; ++s) {
      const std::uint64_t value = load_le64(ConstByteSpan(bytes).subspan(s * kSectorBytes, 8), 0);
      ASSERT_TRUE(allowed_[s].contains(value)) << when << ": sector " << s << " has " << value
                                               << ", acknowledged was " << *allowed_[s].begin();
      allowed_[s] = {value};  // seen once, it stays
      last_[s] = value;
    }
  }

  void remember_base() {
    for (std::uint64_t s = 0; s < kSectors; ++s) {
      frozen_.push_back(machine_.base_disk->peek(s));
    }
  }

  void check_frozen_base() {
    if (!frozen_.empty()) {
      ASSERT_EQ(machine_.base_platter.content, frozen_) << "the frozen base has changed";
    }
  }

  Prng random_;
  Durability durability_;
  LayerMachine machine_;
  Values allowed_;
  std::array<std::uint64_t, kSectors> last_{};  // acknowledged
  int cuts_left_ = 2;
  std::map<std::uint32_t, InFlight> in_flight_;
  std::vector<SectorBytes> frozen_;
  std::uint32_t next_tag_ = 1;
  std::uint64_t next_value_ = 1;
  Instant now_{1'000'000'000};
};

class LayerCrash : public ::testing::TestWithParam<Durability> {};

TEST_P(LayerCrash, EveryCutLeavesWhatWasAcknowledged) {
  std::uint64_t cuts = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::uint64_t operations = 0;
    {
      Story whole(seed, GetParam());
      whole.live();
      operations = whole.machine().power.operations;
      ASSERT_EQ(whole.machine().store->status().phase, LayerPhase::merged);
    }
    for (std::uint64_t cut = 1; cut <= operations; ++cut) {
      SCOPED_TRACE(::testing::Message() << "seed " << seed << ", cut at " << cut);
      Story story(seed, GetParam());
      story.machine().power.off_at = cut;
      story.live();
      Prng random(seed * 1000 + cut);
      story.restart(random);
      ++cuts;
      if (HasFatalFailure()) {
        return;
      }
    }
  }
  EXPECT_GT(cuts, 2000U);
}

INSTANTIATE_TEST_SUITE_P(Durabilities, LayerCrash,
                         ::testing::Values(Durability::stable, Durability::visible),
                         [](const auto& instance) {
                           return instance.param == Durability::stable ? "stable" : "visible";
                         });

}  // namespace
}  // namespace aoe::testing
