// The checks of `aoe conform` against a real target core: all are right, and each one sees the
// fault that it is for. The faults are bent into the questions and answers on their way.
#include "support/target_harness.h"
#include "tools/conform/run.h"
#include "tools/conform/subject.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>

namespace aoe::tools::conform {
namespace {

using test::kE71;
using test::kInitiatorA;
using test::kTargetMac;
using test::TargetHarness;

constexpr std::size_t kFlags = 14;
constexpr std::size_t kErrorAt = 15;
constexpr std::size_t kShelf = 16;
constexpr std::size_t kCommand = 19;
constexpr std::size_t kAtaError = 25;
constexpr std::size_t kAtaCount = 26;
constexpr std::size_t kAtaCommand = 27;
constexpr std::size_t kLba = 28;
constexpr std::size_t kConfigSectors = 28;
constexpr std::size_t kSubcommand = 29;  // of a config query
constexpr std::size_t kStringLength = 30;
constexpr std::uint64_t kSectorCount = 1024;
constexpr std::uint64_t kPlayground = kSectorCount - 2;

std::uint8_t at(const Bytes& frame, std::size_t offset) {
  return offset < frame.size() ? load_u8(frame, offset) : std::uint8_t{0};
}

std::uint64_t lba_of(const Bytes& frame) {
  return at(frame, kLba) | std::uint64_t{at(frame, kLba + 1)} << 8U |
         std::uint64_t{at(frame, kLba + 2)} << 16U | std::uint64_t{at(frame, kLba + 3)} << 24U |
         std::uint64_t{at(frame, kLba + 4)} << 32U | std::uint64_t{at(frame, kLba + 5)} << 40U;
}

bool is_command(const Bytes& frame, protocol::Command command) {
  return at(frame, kCommand) == static_cast<std::uint8_t>(command);
}

bool is_ata(const Bytes& frame, std::uint8_t opcode) {
  return is_command(frame, protocol::Command::ata) && at(frame, kAtaCommand) == opcode;
}

bool is_config(const Bytes& frame, std::uint8_t subcommand) {
  return is_command(frame, protocol::Command::config) &&
         (at(frame, kSubcommand) & 0x0FU) == subcommand;
}

// A way to be wrong: both may change what they are given.
struct Fault {
  std::function<void(Bytes& question)> bend_question{};
  std::function<void(const Bytes& question, std::vector<Bytes>& answers)> bend_answers{};
};

// A target core behind a wire that can be bent.
class HarnessWire final : public Wire {
 public:
  explicit HarnessWire(Fault fault = {}, target::WriteMode mode = target::WriteMode::write_through)
      : fault_(std::move(fault)) {
    target::ExportSettings settings = TargetHarness::settings(kE71, kSectorCount);
    settings.mode = mode;
    settings.has_stale_write_guard = true;
    disk_ = harness_.serve(settings);
    harness_.disk(disk_).poke(kPlayground, test::pattern(2 * kSectorBytes, 99));
  }

  [[nodiscard]] MacAddress mac() const override { return kInitiatorA; }

  [[nodiscard]] std::size_t mtu_bytes() const override { return 9000; }

  // Hears what a port would, and no more.
  std::vector<Bytes> ask(std::span<const Bytes> frames, Listen /*listen*/) override {
    std::vector<Bytes> answers;
    for (Bytes frame : frames) {
      const Bytes asked = frame;
      if (fault_.bend_question) {
        fault_.bend_question(frame);
      }
      std::vector<Bytes> own;
      if (!is_dead_) {
        for (test::SentFrame& sent : harness_.answers(frame)) {
          own.push_back(std::move(sent.bytes));
        }
      }
      if (fault_.bend_answers) {
        fault_.bend_answers(asked, own);
      }
      std::erase_if(own, [&](const Bytes& answer) { return !is_answer_to(asked, answer); });
      answers.insert(answers.end(), own.begin(), own.end());
      is_dead_ = is_dead_ || (dies_of_ && dies_of_(asked));
    }
    return answers;
  }

  [[nodiscard]] Instant now() const override { return harness_.now(); }

  void rest(Duration duration) override { harness_.advance(duration); }

  void die_of(std::function<bool(const Bytes&)> deadly) { dies_of_ = std::move(deadly); }

  [[nodiscard]] TargetHarness& harness() { return harness_; }

  [[nodiscard]] test::ModelDisk& disk() { return harness_.disk(disk_); }

 private:
  TargetHarness harness_;
  ExportId disk_;
  Fault fault_;
  std::function<bool(const Bytes&)> dies_of_;
  bool is_dead_ = false;
};

// ---- Faults ----

// An answer that says yes to a question.
Bytes yes_to(const Bytes& question) {
  Bytes frame = question;
  frame.resize(std::max(frame.size(), protocol::kFrameBytesMin));
  protocol::FrameHeader header;
  header.destination = kInitiatorA;
  header.source = kTargetMac;
  header.is_response = true;
  header.address = kE71;
  header.command = at(question, kCommand);
  header.tag = Tag{load_be32(frame, 20)};
  protocol::build_header(frame, header);
  if (is_command(question, protocol::Command::ata)) {
    store_u8(frame, kAtaCommand, protocol::kStatusReady);
    store_u8(frame, kAtaError, 0);
    frame.resize(protocol::kFrameBytesMin);
  }
  return frame;
}

using When = std::function<bool(const Bytes&)>;

Fault silent_when(When when) {
  return {.bend_answers = [when](const Bytes& question, std::vector<Bytes>& answers) {
    if (when(question)) {
      answers.clear();
    }
  }};
}

Fault yes_when(When when) {
  return {.bend_answers = [when](const Bytes& question, std::vector<Bytes>& answers) {
    if (when(question)) {
      answers = {yes_to(question)};
    }
  }};
}

Fault answer_byte_when(When when, std::size_t offset, std::uint8_t value) {
  return {
      .bend_answers = [when, offset, value](const Bytes& question, std::vector<Bytes>& answers) {
        for (Bytes& answer : answers) {
          if (when(question) && offset < answer.size()) {
            store_u8(answer, offset, value);
          }
        }
      }};
}

Fault question_byte_when(When when, std::size_t offset, std::uint8_t value) {
  return {.bend_question = [when, offset, value](Bytes& question) {
    if (when(question) && offset < question.size()) {
      store_u8(question, offset, value);
    }
  }};
}

When ata(std::uint8_t opcode) {
  return [opcode](const Bytes& frame) { return is_ata(frame, opcode); };
}

When config(std::uint8_t subcommand) {
  return [subcommand](const Bytes& frame) { return is_config(frame, subcommand); };
}

// Mask and reserve have their sub-commands in different places.
When mask(std::uint8_t subcommand) {
  return [subcommand](const Bytes& frame) {
    return is_command(frame, protocol::Command::mac_mask) && at(frame, 25) == subcommand;
  };
}

When reserve(std::uint8_t subcommand) {
  return [subcommand](const Bytes& frame) {
    return is_command(frame, protocol::Command::reserve) && at(frame, 24) == subcommand;
  };
}

When both(When a, When b) {
  return [a, b](const Bytes& frame) { return a(frame) && b(frame); };
}

When byte_is(std::size_t offset, std::uint8_t value) {
  return [offset, value](const Bytes& frame) { return at(frame, offset) == value; };
}

When lba_is(std::uint64_t lba) {
  return [lba](const Bytes& frame) { return lba_of(frame) == lba; };
}

When is_from_or_to_all(bool source) {
  return [source](const Bytes& frame) { return load_mac(frame, source ? 6 : 0).is_group(); };
}

When shorter_than(std::size_t bytes) {
  return [bytes](const Bytes& frame) { return frame.size() < bytes; };
}

// A fault for every check: the name says which check has to see it.
const std::map<std::string, Fault>& faults() {
  static const std::map<std::string, Fault> kFaults{
      {"header.reply", answer_byte_when(config(0), kShelf, 9)},
      {"header.wildcards", silent_when(byte_is(kShelf, 0xFF))},
      {"header.other_address", yes_when(byte_is(kShelf, 0x0F))},
      {"header.response_ignored",
       yes_when([](const Bytes& frame) { return (at(frame, kFlags) & 0x08U) != 0; })},
      {"header.group_source", yes_when(is_from_or_to_all(true))},
      {"header.error_flag", answer_byte_when(byte_is(kErrorAt, 9), kErrorAt, 9)},
      {"header.reserved_flags", answer_byte_when(byte_is(kFlags, 0x13), kFlags, 0x1B)},
      {"header.other_version", yes_when(byte_is(kFlags, 0x20))},
      {"header.version_zero", silent_when(byte_is(kFlags, 0x00))},
      {"header.unknown_command", silent_when(byte_is(kCommand, 0x63))},
      {"header.vendor_command", silent_when(byte_is(kCommand, 0xF7))},
      {"header.unpadded", silent_when(shorter_than(60))},
      {"header.runt", yes_when(shorter_than(24))},
      {"header.padded",
       {.bend_answers =
            [](const Bytes& question, std::vector<Bytes>& answers) {
              for (Bytes& answer : answers) {
                answer.resize(is_config(question, 0) ? protocol::kConfigHeaderBytes
                                                     : answer.size());
              }
            }}},
      {"header.clean_padding", answer_byte_when(ata(0xE5), 59, 0x77)},
      {"config.read", answer_byte_when(config(0), kSubcommand, 0x00)},
      {"config.buffer_count", answer_byte_when(config(0), 25, 1)},
      {"config.sector_count", answer_byte_when(config(0), kConfigSectors, 1)},
      {"config.buffers_hold", silent_when(both(ata(0x24), lba_is(5)))},
      {"config.read_length", silent_when(both(config(0), byte_is(kStringLength, 0x04)))},
      {"config.test", yes_when(both(config(1), byte_is(32, 'c')))},
      {"config.prefix", yes_when(both(config(2), byte_is(32, 0x7F)))},
      {"config.unknown_subcommand", yes_when(config(9))},
      {"config.test_length",
       {.bend_question =
            [](Bytes& question) {
              if (is_config(question, 2) && at(question, kStringLength) == 0x03) {
                // Compares what an earlier frame left in its buffer.
                question.resize(protocol::kConfigHeaderBytes + 900, std::byte{'c'});
              }
            }}},
      {"config.set", yes_when(config(3))},
      {"config.long_string",
       question_byte_when(both(config(4), byte_is(32, 'd')), kStringLength, 0)},
      {"config.set_length",
       question_byte_when(both(config(4), byte_is(32, 'a')), kStringLength, 0)},
      {"ata.identify", answer_byte_when(ata(0xEC), kAtaCommand, 0x41)},
      {"ata.identify_checksum", answer_byte_when(ata(0xEC), 36 + 60, 0x55)},
      {"ata.identify_lba48", answer_byte_when(ata(0xEC), 36 + 2 * 86 + 1, 0x30)},
      {"ata.identify_broadcast", silent_when(both(ata(0xEC), is_from_or_to_all(false)))},
      {"ata.read", answer_byte_when(ata(0x24), kAtaCommand, 0)},
      {"ata.read_max", silent_when(both(ata(0x24), byte_is(kAtaCount, 16)))},
      {"ata.read_too_many", yes_when(both(ata(0x24), byte_is(kAtaCount, 255)))},
      {"ata.read_last", silent_when(both(ata(0x24), lba_is(kSectorCount - 1)))},
      {"ata.read_past_end", yes_when(both(ata(0x24), lba_is(kSectorCount)))},
      {"ata.read_across_end",
       yes_when(both(both(ata(0x24), byte_is(kAtaCount, 2)), lba_is(kSectorCount - 1)))},
      {"ata.read_far", yes_when(both(ata(0x24), byte_is(kLba + 5, 0xFF)))},
      {"ata.lba28", answer_byte_when(ata(0x20), 40, 0x01)},
      {"ata.count_zero", yes_when(both(ata(0x24), byte_is(kAtaCount, 0)))},
      {"ata.unknown_opcode", yes_when(ata(0xFC))},
      {"ata.flush", answer_byte_when(ata(0xE7), kAtaCommand, 0)},
      {"ata.flush_ext", answer_byte_when(ata(0xEA), kAtaCommand, 0)},
      {"ata.check_power", silent_when(ata(0xE5))},
      {"ata.smart", answer_byte_when(ata(0xB0), kAtaCommand, 0x41)},
      {"ata.read_write_flag", yes_when(both(ata(0x24), byte_is(24, 0x41)))},
      {"ata.short_argument", yes_when(shorter_than(36))},
      {"write.accepted", silent_when(ata(0x34))},
      {"write.read_back", question_byte_when(both(ata(0x34), byte_is(37, 9)), 40, 0xEE)},
      {"write.lba28", question_byte_when(ata(0x30), 40, 0xEE)},
      {"write.short_data",
       question_byte_when(both(ata(0x34), shorter_than(36 + 1024)), kAtaCount, 1)},
      {"write.surplus_data",
       question_byte_when(both(ata(0x34), byte_is(kAtaCount, 1)), kAtaCount, 2)},
      {"write.across_end",
       question_byte_when(both(ata(0x34), lba_is(kSectorCount - 1)), kAtaCount, 1)},
      {"write.without_flag", yes_when(both(ata(0x34), byte_is(24, 0x40)))},
      {"write.wildcard",
       {.bend_question =
            [](Bytes& question) {
              if (is_ata(question, 0x34)) {
                protocol::FrameHeader header = *protocol::parse_header(question);
                header.address = kE71;
                set_header(question, header);
              }
            }}},
      // Tags that tell no time.
      {"write.late_copy", question_byte_when(byte_is(kCommand, 0), 20, 0x80)},
      {"write.trim", question_byte_when(ata(0x06), kAtaCommand, 0xE5)},
      {"reserve.read", silent_when(reserve(0))},
      {"reserve.unknown_subcommand", yes_when(reserve(7))},
      {"mask.read", silent_when(mask(0))},
      {"mask.unknown_subcommand", yes_when(mask(7))},
      {"reserve.fences", yes_when(ata(0x24))},
      {"reserve.force", question_byte_when(both(reserve(2), byte_is(25, 1)), 24, 0)},
      {"reserve.count", question_byte_when(both(reserve(1), byte_is(25, 200)), 25, 1)},
      {"mask.edit", question_byte_when(both(mask(1), byte_is(29, 9)), 29, 0)},
      {"mask.count",
       {.bend_question =
            [](Bytes& question) {
              if (is_command(question, protocol::Command::mac_mask) && at(question, 27) == 5) {
                // What an earlier frame left behind: an address to add.
                question.resize(28 + 5 * 8);
                store_u8(question, 29, 1);
                store_u8(question, 35, 0x22);
              }
            }}},
  };
  return kFaults;
}

std::vector<CheckResult> run_with(HarnessWire& wire, const RunOptions& options) {
  Subject subject(wire, kE71, kTargetMac);
  return run_checks(subject, options);
}

std::set<std::string> names_of(const std::vector<CheckResult>& results) {
  std::set<std::string> names;
  for (const CheckResult& result : results) {
    names.insert(result.check->name);
  }
  return names;
}

const RunOptions kEverything{.is_destructive = true};

TEST(Conform, OurOwnTargetIsRightInEverything) {
  HarnessWire wire;
  for (const CheckResult& result : run_with(wire, kEverything)) {
    EXPECT_EQ(result.verdict, Verdict::right) << result.check->name << ": " << result.detail;
  }
}

TEST(Conform, PutsEverythingBackThatItChanges) {
  HarnessWire wire;
  {
    Subject subject(wire, kE71, kTargetMac);
    ASSERT_TRUE(subject.force_config_string(bytes_of("as before")));
  }
  static_cast<void>(run_with(wire, kEverything));
  EXPECT_EQ(wire.disk().peek(kPlayground, 2), test::pattern(2 * kSectorBytes, 99));
  Subject subject(wire, kE71, kTargetMac);
  const auto string = subject.read_config_string();
  ASSERT_TRUE(string);
  EXPECT_TRUE(std::ranges::equal(*string, bytes_of("as before")));
  EXPECT_EQ(subject.read_mask(), std::vector<MacAddress>{});
  EXPECT_EQ(subject.read_holders(), std::vector<MacAddress>{});
}

TEST(Conform, EveryCheckHasAFault) {
  HarnessWire wire;
  std::set<std::string> names;
  for (const auto& [name, fault] : faults()) {
    names.insert(name);
  }
  EXPECT_EQ(names_of(run_with(wire, {})), names);
}

class ConformFault : public testing::TestWithParam<std::string> {};

TEST_P(ConformFault, IsSeenByItsCheck) {
  HarnessWire wire(faults().at(GetParam()));
  const auto results = run_with(wire, {.is_destructive = true, .only = GetParam()});
  const auto found = std::ranges::find_if(
      results, [](const CheckResult& result) { return result.check->name == GetParam(); });
  ASSERT_NE(found, results.end());
  EXPECT_EQ(found->verdict, found->check->when_broken) << found->detail;
  EXPECT_FALSE(found->detail.empty());
}

std::vector<std::string> fault_names() {
  std::vector<std::string> names;
  for (const auto& [name, fault] : faults()) {
    names.push_back(name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Each, ConformFault, testing::ValuesIn(fault_names()),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

TEST(Conform, ATargetThatStopsIsDangerousAndTheRestIsNotTried) {
  HarnessWire wire;
  wire.die_of(ata(0xFC));
  const auto results = run_with(wire, {});
  bool is_past = false;
  for (const CheckResult& result : results) {
    if (std::string_view(result.check->name) == "ata.unknown_opcode") {
      EXPECT_EQ(result.verdict, Verdict::dangerous);
      EXPECT_THAT(result.detail, testing::HasSubstr("does not answer any more"));
      is_past = true;
    } else if (is_past) {
      EXPECT_EQ(result.verdict, Verdict::not_tried) << result.check->name;
    }
  }
  EXPECT_TRUE(is_past);
  EXPECT_FALSE(is_all_right(results));
}

TEST(Conform, ATargetOfWhichNothingCanBeLearntIsNotRight) {
  HarnessWire wire(silent_when(config(0)));
  const auto results = run_with(wire, {});
  for (const CheckResult& result : results) {
    EXPECT_EQ(result.verdict, Verdict::not_tried) << result.check->name;
  }
  EXPECT_FALSE(is_all_right(results));
}

TEST(Conform, NothingTriedIsNotRight) {
  HarnessWire wire;
  const auto results = run_with(wire, {.only = "write."});
  EXPECT_FALSE(results.empty());
  EXPECT_FALSE(is_all_right(results));
}

TEST(Conform, AReadOnlyDiskIsRightAndItsOtherWritesAreNotTried) {
  HarnessWire wire({}, target::WriteMode::read_only);
  for (const CheckResult& result : run_with(wire, {.is_destructive = true, .only = "write."})) {
    if (std::string_view(result.check->name) == "write.accepted") {
      EXPECT_EQ(result.verdict, Verdict::right) << result.detail;
      EXPECT_THAT(result.detail, testing::HasSubstr("read-only"));
    } else {
      EXPECT_EQ(result.verdict, Verdict::not_tried) << result.check->name;
    }
  }
}

TEST(Conform, WithoutLeaveNothingIsWritten) {
  HarnessWire wire;
  static_cast<void>(wire.disk().take_log());
  const auto results = run_with(wire, {});
  for (const CheckResult& result : results) {
    EXPECT_EQ(result.verdict,
              result.check->touches == Touches::state ? Verdict::not_tried : Verdict::right)
        << result.check->name;
  }
  for (const test::StoreRecord& record : wire.disk().take_log()) {
    EXPECT_NE(record.kind, StoreOpKind::write);
  }
}

TEST(Conform, TheDocumentCountsWhatTheTableShows) {
  HarnessWire wire(faults().at("ata.flush"));
  const auto results = run_with(wire, {.only = "ata."});
  const Json body = results_json(results);
  EXPECT_EQ(body["wrong"], 1);
  EXPECT_EQ(body["dangerous"], 0);
  EXPECT_EQ(body["right"], results.size() - 1);
  EXPECT_EQ(body["checks"].size(), results.size());
  EXPECT_THAT(results_text(results, OutputFormat::text), testing::HasSubstr("WRONG"));
  EXPECT_THAT(summary_text(results), testing::HasSubstr("1 wrong, 0 dangerous"));
}

}  // namespace
}  // namespace aoe::tools::conform
