#include "compat/solaris/log_budget.h"
#include "compat/solaris/monitor_frames.h"
#include "compat/solaris/open_probes.h"
#include "compat/solaris/probe_file.h"
#include "support/example_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace aoe::compat::solaris {
namespace {

using test::example_frame;
using test::example_frames;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr DeviceAddress kTarget{Shelf{7}, Slot{1}};

std::vector<std::byte> patched(std::size_t number, std::size_t at, std::uint8_t value) {
  std::vector<std::byte> frame = example_frame(number);
  store_u8(frame, at, value);
  return frame;
}

// Frame 17, a refused mask edit, tells of its error in the argument: that is for who asked.
TEST(JudgeFrame, ExampleFramesHaveTheirKinds) {
  constexpr std::array<std::size_t, 3> kCheckIns{2, 13, 28};
  constexpr std::array<std::size_t, 4> kErrors{11, 14, 21, 23};
  for (std::size_t number = 1; number <= example_frames().size(); ++number) {
    const FrameVerdict verdict = judge_frame(example_frame(number));
    FrameKind expected = FrameKind::normal;
    if (std::count(kCheckIns.begin(), kCheckIns.end(), number) != 0) {
      expected = FrameKind::check_in;
    } else if (std::count(kErrors.begin(), kErrors.end(), number) != 0) {
      expected = FrameKind::error;
    }
    EXPECT_EQ(verdict.kind, expected) << number << ": " << verdict.text;
  }
}

TEST(JudgeFrame, AnnouncementsAreUnsolicitedAndAnswersAreNot) {
  EXPECT_EQ(judge_frame(example_frame(28)), (FrameVerdict{FrameKind::check_in, kTarget, true, ""}));
  EXPECT_EQ(judge_frame(example_frame(2)), (FrameVerdict{FrameKind::check_in, kTarget, false, ""}));
}

TEST(JudgeFrame, ErrorsHaveTheirCodesAndMeanings) {
  EXPECT_EQ(judge_frame(example_frame(11)),
            (FrameVerdict{FrameKind::error, kTarget, false,
                          "ATA error 10h (IDNF), status 41h (DRDY ERR)"}));
  EXPECT_EQ(
      judge_frame(example_frame(23)),
      (FrameVerdict{FrameKind::error, kTarget, false, "AoE error 1 (unrecognised command code)"}));
}

TEST(JudgeFrame, WhatIsNoAnswerOfATargetIsOdd) {
  const auto text_of = [](const std::vector<std::byte>& frame) {
    const FrameVerdict verdict = judge_frame(frame);
    EXPECT_EQ(verdict.kind, FrameKind::odd);
    return verdict.text;
  };
  EXPECT_THAT(text_of({}), HasSubstr("mangled message: "));
  EXPECT_EQ(text_of(patched(2, 14, 0x38)), "AoE version 3");
  EXPECT_EQ(text_of(patched(2, 14, 0x08)), "AoE version 0");
  EXPECT_EQ(text_of(patched(2, 18, 0xff)), "the answer's address is that of all targets");
  EXPECT_EQ(text_of(patched(2, 19, 0x55)), "the answer's command 85 is unknown");
  EXPECT_THAT(text_of(patched(2, 30, 0x04)), HasSubstr("mangled check-in: "));
  std::vector<std::byte> cut = example_frame(6);
  cut.resize(30);
  EXPECT_THAT(text_of(cut), HasSubstr("mangled ATA answer: "));
  // vblade's announcements have version 0, and vendors have commands of their own.
  EXPECT_EQ(judge_frame(patched(28, 14, 0x08)).kind, FrameKind::check_in);
  EXPECT_EQ(judge_frame(patched(2, 19, 0xf1)).kind, FrameKind::normal);
}

TEST(JudgeFrame, NoCutOfAFrameIsReadBeyondItsEnd) {
  for (const test::ExampleFrame& example : example_frames()) {
    for (std::size_t bytes = 0; bytes < example.bytes.size(); ++bytes) {
      std::vector<std::byte> cut = example.bytes;
      cut.resize(bytes);
      const FrameVerdict verdict = judge_frame(cut);
      const bool needs_text = verdict.kind == FrameKind::odd || verdict.kind == FrameKind::error;
      EXPECT_EQ(verdict.text.empty(), !needs_text);
      EXPECT_FALSE(dump_frame(cut).empty());
    }
  }
}

TEST(DumpFrame, HasTheWordsAndTheFirstBytes) {
  const auto lines = dump_frame(example_frame(6));
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_THAT(lines[0], HasSubstr("e7.1 reply 00000003"));
  EXPECT_EQ(lines[1], "0000  02 00 00 00 00 01 02 00 00 00 0a 10 88 a2 18 00");
  EXPECT_THAT(lines[4], HasSubstr("0030  11 11"));
  EXPECT_EQ(lines[5], "and 996 bytes more");
}

TEST(LogBudget, CountsWhatItLeavesOut) {
  LogBudget budget({.entries_max = 2, .period = Duration::seconds(10)});
  const Instant start{};
  EXPECT_EQ(budget.admit(start), 0U);
  EXPECT_EQ(budget.admit(start), 0U);
  EXPECT_EQ(budget.admit(start), std::nullopt);
  EXPECT_EQ(budget.admit(start + Duration::seconds(9)), std::nullopt);
  EXPECT_EQ(budget.admit(start + Duration::seconds(10)), 2U);
  EXPECT_EQ(budget.admit(start + Duration::seconds(11)), 0U);
}

TEST(ProbeFile, PatternsComeBackAsTheyWere) {
  const std::vector<AddressPattern> patterns{
      {}, {.channel = 1, .major = {}, .minor = 2}, {.channel = {}, .major = 7, .minor = {}}};
  EXPECT_EQ(probe_text(patterns), "//\n1//2\n/7/\n");
  EXPECT_EQ(parse_probe(probe_text(patterns)), patterns);
  EXPECT_THAT(parse_probe("nonsense\n0/1/2"),
              ElementsAre(AddressPattern{.channel = 0, .major = 1, .minor = 2}));
}

constexpr Instant kStart{};

AddressPattern all_of_shelf(std::uint16_t major) {
  return {.channel = {}, .major = major, .minor = {}};
}

TEST(OpenProbes, ATargetAnswersEachProbeOnce) {
  OpenProbes probes;
  const TargetAddress first{0, kTarget};
  const TargetAddress second{0, {Shelf{7}, Slot{2}}};
  EXPECT_FALSE(probes.is_answered_by(first, kStart));
  probes.open({all_of_shelf(7)}, kStart);
  EXPECT_TRUE(probes.is_answered_by(first, kStart));
  EXPECT_FALSE(probes.is_answered_by(first, kStart));
  EXPECT_TRUE(probes.is_answered_by(second, kStart));
  EXPECT_FALSE(probes.is_answered_by({0, {Shelf{8}, Slot{1}}}, kStart));
  probes.open({all_of_shelf(7)}, kStart);
  EXPECT_TRUE(probes.is_answered_by(first, kStart));
  EXPECT_FALSE(probes.is_answered_by(first, kStart));
}

// A target that one check-in made answer two probes does not answer the later one again.
TEST(OpenProbes, OneCheckInAnswersAllThatAreOpen) {
  OpenProbes probes;
  probes.open({all_of_shelf(7)}, kStart);
  probes.open({AddressPattern{}}, kStart);
  EXPECT_TRUE(probes.is_answered_by({0, kTarget}, kStart));
  EXPECT_FALSE(probes.is_answered_by({0, kTarget}, kStart));
}

TEST(OpenProbes, AreOpenForFiveSecondsEach) {
  OpenProbes probes;
  const auto after = [](std::int64_t ms) { return kStart + Duration::milliseconds(ms); };
  probes.open({all_of_shelf(7)}, kStart);
  probes.open({all_of_shelf(8)}, after(1000));
  EXPECT_TRUE(probes.is_answered_by({0, {Shelf{7}, Slot{1}}}, after(4999)));
  EXPECT_FALSE(probes.is_answered_by({0, {Shelf{7}, Slot{2}}}, after(5000)));
  EXPECT_TRUE(probes.is_answered_by({0, {Shelf{8}, Slot{1}}}, after(5000)));
  EXPECT_FALSE(probes.is_answered_by({0, {Shelf{8}, Slot{2}}}, after(6000)));
}

TEST(OpenProbes, ForgedAnswersHaveALimit) {
  OpenProbes probes;
  probes.open({AddressPattern{}}, kStart);
  std::size_t answers = 0;
  for (std::size_t i = 0; i < OpenProbes::kAnsweredMax + 10; ++i) {
    const DeviceAddress forged{Shelf{static_cast<std::uint16_t>(i)}, Slot{1}};
    answers += probes.is_answered_by({0, forged}, kStart) ? 1U : 0U;
  }
  EXPECT_EQ(answers, OpenProbes::kAnsweredMax);
}

TEST(MonitorFrames, BytesAreReadFromPairsOfDigitsOnly) {
  EXPECT_EQ(bytes_of_hex(""), std::vector<std::byte>());
  EXPECT_EQ(bytes_of_hex("02fF"), (std::vector{std::byte{0x02}, std::byte{0xFF}}));
  for (const char* text : {"0", "0g", "0x1", "-1", " 1", "012"}) {
    EXPECT_EQ(bytes_of_hex(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace aoe::compat::solaris
