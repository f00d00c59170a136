#include "sim/checkers/zero_checker.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

namespace aoe::sim {
namespace {

using Promise = ZeroChecker::Promise;
using Kind = ZeroChecker::Kind;

constexpr MacAddress kPlain{{2, 0, 0, 0, 0, 1}};
constexpr MacAddress kSealed{{2, 0, 0, 0, 0, 2}};
constexpr ZeroChecker::Range kRange{.disk = 0, .lba = 10, .sectors = 2};

class ZeroCheckerTest : public ::testing::Test {
 protected:
  ZeroCheckerTest() {
    checker_.add_writer(1, Promise::at_least_once, {kPlain});
    checker_.add_writer(2, Promise::exactly_once, {kSealed});
  }

  void execute(const MacAddress& source, std::uint64_t lba = kRange.lba,
               std::uint32_t sectors = kRange.sectors, Kind kind = Kind::zeros) {
    for (std::uint64_t i = 0; i < sectors; ++i) {
      checker_.on_change(now_, {.disk = 0, .lba = lba + i}, kind, content_, source);
    }
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

  Instant now_{1'000'000'000};
  SectorValue content_ = SectorValue::make(1, 7, 0);
  Violations violations_;
  ZeroChecker checker_{violations_};
};

TEST_F(ZeroCheckerTest, WhatIsAcknowledgedWasExecutedAllOfIt) {
  const auto whole = checker_.begin(now_, 1, kRange);
  execute(kPlain);
  checker_.acknowledge(now_, whole);
  EXPECT_EQ(broken(), std::nullopt);
  const auto part = checker_.begin(now_, 1, kRange);
  execute(kPlain, kRange.lba, 1);
  checker_.acknowledge(now_, part);
  EXPECT_EQ(broken(), Rule::wrong_answer);
}

TEST_F(ZeroCheckerTest, NobodyElsesExecutionCounts) {
  const auto ticket = checker_.begin(now_, 1, kRange);
  content_ = {};
  execute(kSealed);
  EXPECT_EQ(broken(), std::nullopt) << "zeros over zeros harm nobody";
  checker_.acknowledge(now_, ticket);
  EXPECT_EQ(broken(), Rule::wrong_answer);
}

TEST_F(ZeroCheckerTest, ACopyAfterTheAnswerMustNotUndoAWrite) {
  const auto ticket = checker_.begin(now_, 1, kRange);
  execute(kPlain);
  execute(kPlain);
  checker_.acknowledge(now_, ticket);
  EXPECT_EQ(broken(), std::nullopt) << "plain copies come";
  EXPECT_EQ(checker_.counters().repeated, 2U);
  content_ = {};
  execute(kPlain);
  EXPECT_EQ(broken(), std::nullopt) << "nothing newer is there";
  EXPECT_EQ(checker_.counters().after_answer, 2U);
  content_ = SectorValue::make(1, 8, 0);
  execute(kPlain, kRange.lba, 1);
  EXPECT_EQ(broken(), Rule::stale_execution);
  execute(kPlain, kRange.lba, 1, Kind::discard_of_no_promise);
  EXPECT_EQ(broken(), std::nullopt) << "what is there may be what the trim had left";
}

TEST_F(ZeroCheckerTest, ZerosThatNobodyAskedForAreNotExecuted) {
  execute(kPlain);
  EXPECT_EQ(broken(), Rule::stale_execution);
}

TEST_F(ZeroCheckerTest, WhatFailedMayBeExecutedForAWhile) {
  checker_.give_up(now_, checker_.begin(now_, 1, kRange));
  now_ = now_ + ZeroChecker::kDoubt;
  execute(kPlain);
  EXPECT_EQ(broken(), std::nullopt);
  now_ = now_ + Duration{1};
  checker_.acknowledge(now_, checker_.begin(now_, 1, {.disk = 1, .lba = 0, .sectors = 0}));
  EXPECT_EQ(checker_.live(), 0U);
  execute(kPlain);
  EXPECT_EQ(broken(), Rule::stale_execution);
}

TEST_F(ZeroCheckerTest, OfASessionIsExecutedOnceInALifeOfTheTarget) {
  const auto ticket = checker_.begin(now_, 2, kRange);
  checker_.on_frame(kSealed, kRange, 5);
  execute(kSealed);
  checker_.on_frame(kSealed, kRange, 5);
  checker_.on_target_death(0);
  execute(kSealed);
  EXPECT_EQ(broken(), std::nullopt);
  execute(kSealed);
  EXPECT_EQ(broken(), Rule::exactly_once);
  checker_.acknowledge(now_, ticket);
  EXPECT_EQ(broken(), std::nullopt);
}

TEST_F(ZeroCheckerTest, AskedUnderTwoSequencesOrPlainItMayBeExecutedTwice) {
  for (const std::uint32_t second : {6U, 0U}) {
    const auto ticket = checker_.begin(now_, 2, kRange);
    checker_.on_frame(kSealed, kRange, 5);
    checker_.on_frame(kSealed, {.disk = 0, .lba = kRange.lba + 1, .sectors = 1}, second);
    execute(kSealed);
    execute(kSealed);
    checker_.acknowledge(now_, ticket);
    EXPECT_EQ(broken(), std::nullopt);
  }
}

}  // namespace
}  // namespace aoe::sim
