#include "sim/checkers/execution_checker.h"

#include "sim/world/world.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace aoe::sim {
namespace {

using Promise = ExecutionChecker::Promise;

class ExecutionCheckerTest : public ::testing::Test, protected DiskObserver {
 protected:
  ExecutionCheckerTest() {
    disk_.set_observer(this);
    checker_.add_writer(1, Promise::at_least_once);
    checker_.add_writer(2, Promise::exactly_once);
  }

  void on_disk_change(Instant now, std::uint32_t disk, const StoreOp& op) override {
    checker_.on_change(now, disk, disk_, op);
  }

  void on_power_cut(Instant /*now*/, std::uint32_t /*disk*/) override {}

  // The disk executes a write of that many sectors at 0.
  void execute(std::uint32_t writer, std::uint64_t op, std::uint64_t sectors = 1,
               std::uint64_t first = 0) {
    std::vector<std::byte> data(sectors * kSectorBytes);
    for (std::uint64_t i = 0; i < sectors; ++i) {
      fill_sector(ByteSpan(data).subspan(i * kSectorBytes, kSectorBytes),
                  SectorValue::make(writer, op, first + i), {.disk = 0, .lba = first + i});
    }
    write_raw(data, first);
  }

  void write_raw(std::vector<std::byte>& data, std::uint64_t lba = 0) {
    disk_.submit(world_.now(), {.kind = StoreOpKind::write,
                                .offset_bytes = lba * kSectorBytes,
                                .length_bytes = data.size(),
                                .data = data});
    world_.events().run_until(world_.now() + Duration::seconds(1));
  }

  void acknowledge(std::uint32_t writer, std::uint64_t op) {
    checker_.acknowledge(world_.now(), writer, op);
  }

  // The rule that was broken since the last call, if any.
  [[nodiscard]] std::optional<Rule> broken() {
    if (violations_.empty()) {
      return std::nullopt;
    }
    const Rule rule = violations_.first().front().rule;
    violations_ = {};
    return rule;
  }

  World world_{{.seed = 1, .frames_max = 1}};
  SimDisk disk_{world_, 0, {.sectors = 8}};
  Violations violations_;
  ExecutionChecker checker_{violations_};
};

TEST_F(ExecutionCheckerTest, IsContentWithWritesThatAreExecutedOnceAndThenAnswered) {
  for (std::uint32_t writer : {1U, 2U}) {
    checker_.begin(writer, 0, 2);
    execute(writer, 0, 2);
    acknowledge(writer, 0);
  }
  EXPECT_EQ(broken(), std::nullopt);
  EXPECT_EQ(checker_.counters().sectors, 4U);
}

TEST_F(ExecutionCheckerTest, FindsAnAnswerToAWriteThatWasNotExecuted) {
  checker_.begin(1, 0, 2);
  execute(1, 0, 1);
  acknowledge(1, 0);
  EXPECT_EQ(broken(), Rule::wrong_answer);
}

TEST_F(ExecutionCheckerTest, FindsACopyThatLandsOnSomethingNewer) {
  checker_.begin(1, 0, 1);
  execute(1, 0);
  acknowledge(1, 0);
  checker_.begin(1, 1, 1);
  execute(1, 1);
  EXPECT_EQ(broken(), std::nullopt);
  execute(1, 0);
  EXPECT_EQ(broken(), Rule::stale_execution);
}

TEST_F(ExecutionCheckerTest, LetsPlainCopiesBeExecutedAgainWhileNothingIsNewer) {
  checker_.begin(1, 0, 1);
  execute(1, 0);
  execute(1, 0);
  acknowledge(1, 0);
  execute(1, 0);
  EXPECT_EQ(broken(), std::nullopt);
  EXPECT_EQ(checker_.counters().repeated, 1U);
  EXPECT_EQ(checker_.counters().after_answer, 1U);
}

TEST_F(ExecutionCheckerTest, FindsACopyOfAnAnsweredWriteOverAnotherWritersData) {
  checker_.begin(1, 0, 1);
  execute(1, 0);
  acknowledge(1, 0);
  checker_.begin(2, 0, 1);
  execute(2, 0);
  execute(1, 0);
  EXPECT_EQ(broken(), Rule::stale_execution);
}

TEST_F(ExecutionCheckerTest, FindsASecondExecutionWhereOneWasPromised) {
  checker_.begin(2, 0, 1);
  execute(2, 0);
  execute(2, 0);
  EXPECT_EQ(broken(), Rule::exactly_once);
  acknowledge(2, 0);
  execute(2, 0);
  EXPECT_EQ(broken(), Rule::stale_execution);
}

TEST_F(ExecutionCheckerTest, PromisesLessToAWriteOfWhichACopyWentPlain) {
  checker_.begin(2, 0, 1);
  checker_.on_plain_copy(SectorValue::make(2, 0, 0));
  execute(2, 0);
  execute(2, 0);
  EXPECT_EQ(broken(), std::nullopt);
  EXPECT_EQ(checker_.counters().plain_copies, 1U);
}

TEST_F(ExecutionCheckerTest, LetsTheNextTargetExecuteWhatWasNotAnswered) {
  checker_.begin(2, 0, 1);
  execute(2, 0);
  checker_.on_target_death(0);
  execute(2, 0);
  EXPECT_EQ(broken(), std::nullopt);
  acknowledge(2, 0);
  checker_.on_target_death(0);
  execute(2, 0);
  EXPECT_EQ(broken(), Rule::stale_execution);
}

TEST_F(ExecutionCheckerTest, FindsDataThatNobodyWroteThere) {
  checker_.begin(1, 0, 1);
  std::vector<std::byte> data(kSectorBytes);
  fill_sector(data, SectorValue::make(1, 0, 0), {.disk = 0, .lba = 3});
  write_raw(data, 4);
  EXPECT_EQ(broken(), Rule::wrong_answer);
  fill_sector(data, SectorValue::make(1, 5, 0), {.disk = 0, .lba = 4});
  write_raw(data, 4);
  EXPECT_EQ(broken(), Rule::wrong_answer) << "write 5 was never made";
  fill_sector(data, SectorValue::make(1, 0, 0), {.disk = 0, .lba = 4});
  data[100] ^= std::byte{1};
  write_raw(data, 4);
  EXPECT_EQ(broken(), Rule::wrong_answer);
}

}  // namespace
}  // namespace aoe::sim
