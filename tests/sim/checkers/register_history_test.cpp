#include "sim/checkers/register_history.h"

#include "base/prng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::sim {
namespace {

using Effect = RegisterHistory::Effect;

class RegisterHistoryTest : public ::testing::Test {
 protected:
  RegisterHistoryTest() { history_.add_disk(0, 16); }

  void give_cache() { history_.add_disk(0, 16, RegisterHistory::Cache::volatile_cache); }

  // Values of one sector are made of the writer's number alone: write n of writer n.
  static SectorValue value(std::uint32_t number) { return SectorValue::make(number, 0, 0); }

  RegisterHistory::Ticket begin_write(std::uint32_t number, std::uint32_t writer = 0,
                                      std::uint64_t lba = 0) {
    return history_.begin_write({.range = {.disk = 0, .lba = lba, .sectors = 1},
                                 .writer = writer == 0 ? number : writer,
                                 .first_value = value(number)});
  }

  RegisterHistory::Ticket begin_zeros(std::uint32_t writer, Effect effect = Effect::zeros) {
    return history_.begin_write(
        {.range = {.disk = 0, .lba = 0, .sectors = 1}, .writer = writer, .effect = effect});
  }

  void write(std::uint32_t number, std::uint32_t writer = 0) {
    history_.end_write(begin_write(number, writer));
  }

  RegisterHistory::Ticket begin_read(std::uint64_t lba = 0) {
    return history_.begin_read({.disk = 0, .lba = lba, .sectors = 1});
  }

  // Whether the history allows it.
  bool end_read(RegisterHistory::Ticket ticket, SectorValue seen) {
    return !history_.end_read(ticket, {seen}).has_value();
  }

  bool read(SectorValue seen) { return end_read(begin_read(), seen); }

  bool read(std::uint32_t number) { return read(value(number)); }

  void flush() { history_.end_flush(history_.begin_flush(0)); }

  static constexpr SectorValue kZero{};
  RegisterHistory history_;
};

TEST_F(RegisterHistoryTest, BeginsWithZeros) {
  EXPECT_TRUE(read(kZero));
  EXPECT_FALSE(read(1));
}

TEST_F(RegisterHistoryTest, FindsAStaleRead) {
  write(1);
  write(2);
  EXPECT_TRUE(read(2));
  EXPECT_FALSE(read(1));
}

TEST_F(RegisterHistoryTest, FindsAWriteThatWasLost) {
  write(1);
  EXPECT_FALSE(read(kZero));
}

TEST_F(RegisterHistoryTest, FindsAValueOfAnotherSector) {
  history_.end_write(begin_write(1, 1, 3));
  EXPECT_FALSE(read(1));
}

TEST_F(RegisterHistoryTest, LetsAReadThatOverlapsAWriteSeeEither) {
  const auto writing = begin_write(1);
  EXPECT_TRUE(read(kZero));
  EXPECT_TRUE(read(1));
  EXPECT_FALSE(read(kZero)) << "it was seen: there is no way back";
  history_.end_write(writing);
  EXPECT_TRUE(read(1));
}

TEST_F(RegisterHistoryTest, LetsAnOldReadReturnWhatWasThereWhenItBegan) {
  write(1);
  const auto reading = begin_read();
  write(2);
  write(3);
  EXPECT_TRUE(end_read(reading, value(1)));
}

TEST_F(RegisterHistoryTest, FindsTwoReadersThatDisagreeAboutTheOrder) {
  const auto first = begin_write(1);
  const auto second = begin_write(2);
  EXPECT_TRUE(read(1));
  EXPECT_TRUE(read(2));
  EXPECT_FALSE(read(1));
  history_.end_write(first);
  history_.end_write(second);
}

TEST_F(RegisterHistoryTest, LetsAWriteInDoubtHappenLater) {
  history_.doubt_write(begin_write(1));
  EXPECT_TRUE(read(kZero));
  write(2);
  EXPECT_TRUE(read(2));
  EXPECT_TRUE(read(1)) << "another writer's";
  EXPECT_FALSE(read(2));
}

TEST_F(RegisterHistoryTest, EndsADoubtWithTheNextWriteOfTheSameWriter) {
  history_.doubt_write(begin_write(1, 7));
  const auto early = begin_read();
  write(2, 7);
  EXPECT_FALSE(read(1)) << "the fence has passed";
  EXPECT_TRUE(end_read(early, value(1))) << "this one began before";
}

TEST_F(RegisterHistoryTest, LetsAWriteBeExecutedAgainByTheNextTarget) {
  const auto writing = begin_write(1);
  EXPECT_TRUE(read(1));
  write(2);
  EXPECT_TRUE(read(2));
  history_.on_restart(0);
  EXPECT_TRUE(read(1)) << "executed again, because its answer was lost";
  EXPECT_FALSE(read(2));
  history_.end_write(writing);
  EXPECT_TRUE(read(1));
  write(3);
  EXPECT_FALSE(read(1)) << "it has been answered: never again";
}

TEST_F(RegisterHistoryTest, LetsAWriteTakeEffectAgainBeforeItsAnswer) {
  const auto writing = begin_write(1);
  EXPECT_TRUE(read(1));
  write(2);
  EXPECT_TRUE(read(2));
  history_.on_repeated(0, 0, value(1));
  EXPECT_TRUE(read(1));
  EXPECT_FALSE(read(2));
  history_.end_write(writing);
  history_.on_repeated(0, 0, value(1));
  write(3);
  EXPECT_FALSE(read(1)) << "not after its answer";
}

TEST_F(RegisterHistoryTest, LetsAWriteHaveManyLives) {
  const auto writing = begin_write(1);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(read(1));
    write(10 + i);
    EXPECT_TRUE(read(10 + i));
    EXPECT_FALSE(read(1));
    history_.on_restart(0);
  }
  history_.end_write(writing);
  EXPECT_TRUE(read(1)) << "executed a last time before it was answered";
  write(20);
  EXPECT_FALSE(read(1));
}

TEST_F(RegisterHistoryTest, DoesNotForgetAnAcknowledgedWriteAtARestart) {
  write(1);
  history_.on_restart(0);
  EXPECT_FALSE(read(kZero));
}

TEST_F(RegisterHistoryTest, LetsALostCacheTakeWhatWasNotFlushed) {
  give_cache();
  write(1);
  flush();
  write(2);
  write(3);
  history_.on_cache_lost(0);
  EXPECT_FALSE(read(kZero)) << "older than what was flushed";
  EXPECT_TRUE(read(2));
  EXPECT_FALSE(read(3)) << "it has been seen which one is left";
  EXPECT_FALSE(read(1));
}

TEST_F(RegisterHistoryTest, DoesNotLetALostCacheTakeWhatWasFlushed) {
  give_cache();
  write(1);
  flush();
  history_.on_cache_lost(0);
  EXPECT_FALSE(read(kZero));
  EXPECT_TRUE(read(1));
}

TEST_F(RegisterHistoryTest, CountsForAFlushOnlyWhatWasAcknowledgedWhenItBegan) {
  give_cache();
  const auto flushing = history_.begin_flush(0);
  write(1);
  history_.end_flush(flushing);
  history_.on_cache_lost(0);
  EXPECT_TRUE(read(kZero));
}

TEST_F(RegisterHistoryTest, CallsStableWhatSurvivedALostCache) {
  give_cache();
  write(1);
  history_.on_cache_lost(0);
  EXPECT_TRUE(read(1));
  history_.on_cache_lost(0);
  EXPECT_FALSE(read(kZero));
  EXPECT_TRUE(read(1));
}

TEST_F(RegisterHistoryTest, RemembersWhatASecondLostCacheMayBringBack) {
  give_cache();
  write(1);
  history_.on_cache_lost(0);
  write(2);
  EXPECT_TRUE(read(2));
  history_.on_cache_lost(0);
  EXPECT_TRUE(read(kZero)) << "neither was flushed";
  write(3);
  flush();
  EXPECT_TRUE(read(3));
  EXPECT_TRUE(read(3));
  EXPECT_LE(history_.clusters(), 2U) << "now the others are over";
}

TEST_F(RegisterHistoryTest, LetsALostCacheTakeAWriteWhoseAnswerWasUnderWay) {
  give_cache();
  const auto writing = begin_write(1);
  history_.on_cache_lost(0);
  history_.end_write(writing);
  EXPECT_TRUE(read(kZero));
  write(2);
  flush();
  EXPECT_FALSE(read(1));
  EXPECT_TRUE(read(2));
}

// The first life may be the one that happened and the other may be: what is seen later does not say
// that the value was there before the cache was lost.
TEST_F(RegisterHistoryTest, LeavesOpenOnWhichSideOfALostCacheAWriteHappened) {
  give_cache();
  const auto writing = begin_write(1);
  history_.on_cache_lost(0);
  const auto reading = begin_read();
  history_.end_write(writing);
  EXPECT_TRUE(read(1));
  EXPECT_TRUE(end_read(reading, kZero)) << "it looked before the write happened";
}

TEST_F(RegisterHistoryTest, LearnsNothingOfWhatIsLeftFromAReadThatBeganBefore) {
  give_cache();
  write(1);
  const auto reading = begin_read();
  history_.on_cache_lost(0);
  EXPECT_TRUE(end_read(reading, value(1)));
  EXPECT_TRUE(read(kZero));
}

TEST_F(RegisterHistoryTest, DoesNotLetALostCacheTakeADurableWrite) {
  give_cache();
  history_.end_write(history_.begin_write({.range = {.disk = 0, .lba = 0, .sectors = 1},
                                           .writer = 1,
                                           .first_value = value(1),
                                           .durable = true}));
  write(2);
  history_.on_cache_lost(0);
  EXPECT_FALSE(read(kZero));
  EXPECT_TRUE(read(1));
}

TEST_F(RegisterHistoryTest, ReplacesEveryCandidateOfALostCacheByANewWrite) {
  give_cache();
  write(1);
  write(2);
  history_.on_cache_lost(0);
  write(3);
  EXPECT_FALSE(read(1));
  EXPECT_FALSE(read(2));
  EXPECT_TRUE(read(3));
}

TEST_F(RegisterHistoryTest, CountsZerosForAnyWriteOfZeros) {
  write(1);
  history_.end_write(begin_zeros(1));
  EXPECT_TRUE(read(kZero));
  EXPECT_FALSE(read(1));
  write(2);
  EXPECT_FALSE(read(kZero));
  const auto zeroing = begin_zeros(3);
  EXPECT_TRUE(read(2));
  EXPECT_TRUE(read(kZero)) << "under way";
  history_.end_write(zeroing);
  EXPECT_FALSE(read(2));
  EXPECT_TRUE(read(kZero));
}

TEST_F(RegisterHistoryTest, LetsATrimWithoutPromiseLeaveEither) {
  write(1);
  history_.end_write(begin_zeros(1, Effect::maybe_zeros));
  EXPECT_TRUE(read(1));
  EXPECT_TRUE(read(kZero)) << "a late copy of it";
  write(2, 1);
  EXPECT_TRUE(read(2));
  EXPECT_FALSE(read(kZero)) << "not over a newer write";
}

TEST_F(RegisterHistoryTest, LetsATrimWithoutPromiseLeaveAWriteInDoubt) {
  history_.doubt_write(begin_write(1, 7));
  history_.end_write(begin_zeros(7, Effect::maybe_zeros));
  EXPECT_TRUE(read(1));
  write(2, 7);
  EXPECT_FALSE(read(1));
}

TEST_F(RegisterHistoryTest, TakesAnythingFromASectorThatWasCutOff) {
  write(1);
  history_.on_cut_off(0, 0);
  EXPECT_TRUE(read(9));
  EXPECT_FALSE(read(1));
}

TEST_F(RegisterHistoryTest, ForgetsWhatNoReadCanReturn) {
  for (std::uint32_t i = 1; i < 1000; ++i) {
    write(i);
    EXPECT_TRUE(read(i));
  }
  EXPECT_LE(history_.clusters(), 3U);
  // Overlapping writes do not stop it.
  for (std::uint32_t i = 1000; i < 2000; i += 2) {
    const auto first = begin_write(i);
    const auto second = begin_write(i + 1);
    history_.end_write(first);
    history_.end_write(second);
    const auto reading = begin_read();
    history_.drop_read(reading);
  }
  EXPECT_LE(history_.clusters(), 8U);
}

// ---- Against an exhaustive search ---------------------------------------------------------------

struct Op {
  bool is_read = false;
  std::uint32_t value = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  // 0xFFFFFFFF: never
};

// Wing & Gong: some order that respects real time and in which every read sees the last write.
// Unanswered writes may be left out.
bool has_order(const std::vector<Op>& ops, std::vector<bool>& used, std::uint32_t current) {
  std::uint32_t first_end = 0xFFFFFFFF;
  bool all_done = true;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (!used[i]) {
      first_end = std::min(first_end, ops[i].end);
      all_done = all_done && ops[i].end == 0xFFFFFFFF;
    }
  }
  if (all_done) {
    return true;
  }
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (used[i] || ops[i].begin > first_end || (ops[i].is_read && ops[i].value != current)) {
      continue;
    }
    used[i] = true;
    if (has_order(ops, used, ops[i].is_read ? current : ops[i].value)) {
      used[i] = false;
      return true;
    }
    used[i] = false;
  }
  return false;
}

TEST_F(RegisterHistoryTest, JudgesSmallHistoriesAsAnExhaustiveSearchDoes) {
  Prng prng(7);
  int wrong = 0;
  int right = 0;
  for (int round = 0; round < 30'000; ++round) {
    RegisterHistory history;
    history.add_disk(0, 1);
    std::vector<Op> ops;
    std::vector<RegisterHistory::Ticket> tickets;
    std::vector<std::size_t> open;
    std::uint32_t time = 0;
    std::uint32_t writes = 0;
    bool accepted = true;
    while (ops.size() < 8 && accepted) {
      ++time;
      if (open.empty() || (open.size() < 4 && prng.chance(1, 2))) {
        Op op{.is_read = prng.chance(3, 5), .begin = time, .end = 0xFFFFFFFF};
        if (op.is_read) {
          tickets.push_back(history.begin_read({.disk = 0, .lba = 0, .sectors = 1}));
        } else {
          op.value = ++writes;
          tickets.push_back(history.begin_write({.range = {.disk = 0, .lba = 0, .sectors = 1},
                                                 .writer = op.value,
                                                 .first_value = value(op.value)}));
        }
        open.push_back(ops.size());
        ops.push_back(op);
        continue;
      }
      const std::size_t chosen = prng.below(open.size());
      const std::size_t index = open[chosen];
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(chosen));
      if (!ops[index].is_read) {
        if (prng.chance(1, 6)) {
          history.doubt_write(tickets[index]);
        } else {
          history.end_write(tickets[index]);
          ops[index].end = time;
        }
        continue;
      }
      // Mostly a value of late.
      const std::uint64_t back = prng.below(3);
      ops[index].value = writes > back ? writes - static_cast<std::uint32_t>(back) : 0;
      ops[index].end = time;
      const SectorValue seen = ops[index].value == 0 ? kZero : value(ops[index].value);
      accepted = !history.end_read(tickets[index], {seen}).has_value();
      // Judged with what had happened so far: reads that have not ended say nothing yet.
      std::vector<Op> past;
      for (const Op& op : ops) {
        if (!op.is_read || op.end != 0xFFFFFFFF) {
          past.push_back(op);
        }
      }
      std::vector<bool> used(past.size());
      ASSERT_EQ(has_order(past, used, 0), accepted) << "round " << round;
    }
    ++(accepted ? right : wrong);
  }
  EXPECT_GT(wrong, 3'000);
  EXPECT_GT(right, 3'000);
}

}  // namespace

}  // namespace aoe::sim
