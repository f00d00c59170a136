#include "target/duplicate_filter.h"

#include <gtest/gtest.h>

namespace aoe::target {
namespace {

using Kind = DuplicateFilter::Kind;

constexpr std::uint32_t kWindow = 8;

RequestDigest digest(std::uint32_t number) {
  return {.header_crc = 0, .content_crc = number, .content_bytes = 12};
}

RememberedAnswer answer(std::uint8_t status) {
  RememberedAnswer answer;
  answer.registers = {.flags = 0x40,
                      .feature_error = 1,
                      .sector_count = 2,
                      .command_status = status,
                      .lba = {1, 2, 3, 4, 5, 6}};
  return answer;
}

class Filter : public testing::Test {
 protected:
  Filter() {
    filter.open(0, 1);
    filter.open(1, 1);
  }

  Kind kind(std::uint32_t sequence, std::uint16_t session = 0) const {
    return filter.look_up(session, sequence, digest(sequence)).kind;
  }

  void execute(std::uint32_t sequence, std::uint16_t session = 0) {
    filter.begin(session, sequence, digest(sequence), static_cast<std::uint16_t>(sequence));
  }

 public:
  DuplicateFilter filter{2, kWindow};
};

TEST_F(Filter, ARequestIsFreshThenExecutingThenDone) {
  EXPECT_EQ(kind(1), Kind::fresh);
  filter.begin(0, 1, digest(1), 77);
  const auto executing = filter.look_up(0, 1, digest(1));
  EXPECT_EQ(executing.kind, Kind::executing);
  EXPECT_EQ(executing.slot, 77);
  EXPECT_EQ(filter.executing(0), 1U);
  filter.finish(0, 1, answer(0x40));
  const auto done = filter.look_up(0, 1, digest(1));
  EXPECT_EQ(done.kind, Kind::done);
  EXPECT_EQ(done.answer.registers, answer(0x40).registers);
  EXPECT_EQ(done.answer.error, protocol::AoeError::none);
  EXPECT_EQ(filter.executing(0), 0U);
}

TEST_F(Filter, AnErrorIsRememberedToo) {
  RememberedAnswer error;
  error.error = protocol::AoeError::target_reserved;
  filter.answer_at_once(0, 3, digest(3), error);
  EXPECT_EQ(filter.look_up(0, 3, digest(3)).answer.error, protocol::AoeError::target_reserved);
  EXPECT_EQ(filter.executing(0), 0U);
}

// A memory of the last n answers forgets what a slow copy still needs.
TEST_F(Filter, NothingIsForgottenWhileItIsInTheWindow) {
  for (std::uint32_t sequence = 1; sequence <= kWindow; ++sequence) {
    execute(sequence);
    filter.finish(0, sequence, answer(0x40));
  }
  for (std::uint32_t sequence = 1; sequence <= kWindow; ++sequence) {
    EXPECT_EQ(kind(sequence), Kind::done) << sequence;
  }
  EXPECT_EQ(kind(kWindow + 1), Kind::beyond);
}

TEST_F(Filter, AHigherLowForgetsWhatIsBelowItAndNothingElse) {
  for (const std::uint32_t sequence : {1U, 2U, 3U}) {
    execute(sequence);
    filter.finish(0, sequence, answer(0x40));
  }
  filter.advance(0, 3);
  EXPECT_EQ(kind(1), Kind::stale);
  EXPECT_EQ(kind(2), Kind::stale);
  EXPECT_EQ(kind(3), Kind::done);
  EXPECT_EQ(kind(kWindow + 1), Kind::fresh) << "the places of 1 and 2 are free";
  EXPECT_EQ(kind(kWindow + 3), Kind::beyond);
}

TEST_F(Filter, LowNeverGoesBack) {
  filter.advance(0, 5);
  filter.advance(0, 2);
  EXPECT_EQ(filter.low(0), 5U);
  EXPECT_EQ(kind(4), Kind::stale);
}

TEST_F(Filter, ALowFarAheadForgetsEverything) {
  for (std::uint32_t sequence = 1; sequence <= kWindow; ++sequence) {
    execute(sequence);
    filter.finish(0, sequence, answer(0x40));
  }
  filter.advance(0, 1000);
  for (std::uint32_t sequence = 1000; sequence < 1000 + kWindow; ++sequence) {
    EXPECT_EQ(kind(sequence), Kind::fresh) << sequence;
  }
}

TEST_F(Filter, SequencesGoRoundTheCircle) {
  filter.open(0, 0xFFFFFFFE);
  for (const std::uint32_t sequence : {0xFFFFFFFEU, 0xFFFFFFFFU, 1U, 2U}) {
    EXPECT_EQ(kind(sequence), Kind::fresh) << sequence;
    execute(sequence);
    filter.finish(0, sequence, answer(0x40));
  }
  EXPECT_EQ(kind(0xFFFFFFFE), Kind::done);
  filter.advance(0, 2);
  EXPECT_EQ(kind(0xFFFFFFFF), Kind::stale);
  EXPECT_EQ(kind(1), Kind::stale);
  EXPECT_EQ(kind(2), Kind::done);
  EXPECT_EQ(kind(9), Kind::fresh);
  EXPECT_EQ(kind(10), Kind::beyond);
}

TEST_F(Filter, AnotherRequestUnderAKnownSequenceIsAMismatch) {
  execute(4);
  EXPECT_EQ(filter.look_up(0, 4, digest(5)).kind, Kind::mismatch);
  filter.finish(0, 4, answer(0x40));
  EXPECT_EQ(filter.look_up(0, 4, digest(5)).kind, Kind::mismatch);
}

TEST_F(Filter, SessionsKnowNothingOfEachOther) {
  execute(1, 0);
  EXPECT_EQ(kind(1, 1), Kind::fresh);
  filter.advance(1, 8);
  EXPECT_EQ(kind(1, 0), Kind::executing);
}

TEST_F(Filter, WhatTheInitiatorGaveUpStaysForgottenWhenItEnds) {
  execute(1);
  filter.advance(0, 2);
  EXPECT_EQ(filter.executing(0), 1U) << "it still runs";
  execute(1 + kWindow);  // the same place of the ring
  filter.finish(0, 1, answer(0x51));
  EXPECT_EQ(filter.executing(0), 1U);
  EXPECT_EQ(kind(1 + kWindow), Kind::executing);
}

TEST_F(Filter, OpeningASessionAgainForgetsTheOldOne) {
  execute(1);
  filter.finish(0, 1, answer(0x40));
  filter.open(0, 1);
  EXPECT_EQ(kind(1), Kind::fresh);
}

}  // namespace
}  // namespace aoe::target
