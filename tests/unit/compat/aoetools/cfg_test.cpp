#include "compat/aoetools/cfg.h"

#include "compat/aoetools/commands.h"
#include "unit/compat/aoetools/fake_session.h"
#include "unit/compat/recording_console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::aoetools {
namespace {

using initiator::Bytes;
using initiator::FakeTarget;
using initiator::Sent;
using testing::HasSubstr;
using testing::StartsWith;

class CfgTest : public ::testing::Test {
 protected:
  CfgTest() {
    target.config_string = "owner";
    options.timeout = Duration::milliseconds(200);
  }

  CfgOutcome run() {
    const auto session =
        session_with([this](const Sent& sent) { return hook ? hook(sent) : target.answer(sent); });
    return ask_config_strings(*session, options, console);
  }

  void one_device() {
    options.shelf = 7;
    options.slot = 1;
  }

  FakeTarget target;
  std::function<std::optional<Bytes>(const Sent&)> hook;
  CfgOptions options;
  RecordingConsole console;
};

TEST_F(CfgTest, OneDevicePrintsItsStringAlone) {
  one_device();
  const CfgOutcome outcome = run();
  EXPECT_EQ(console.printed, "owner\n");
  EXPECT_EQ(outcome.answers, 1U);
  EXPECT_EQ(outcome.refusals, 0U);
}

TEST_F(CfgTest, EverybodyIsPrintedOnceWithTheAddress) {
  EXPECT_EQ(run().answers, 1U);
  EXPECT_EQ(console.printed, "7.1\towner\n");
}

TEST_F(CfgTest, AShelfWithAllItsSlotsLeavesOthersOut) {
  options.shelf = 8;
  EXPECT_EQ(run().answers, 0U);
  options.shelf = 7;
  EXPECT_EQ(run().answers, 1U);
  EXPECT_EQ(console.printed, "7.1\towner\n");
}

TEST_F(CfgTest, CommandsForEverybodyGoToEachThatIsThere) {
  std::vector<std::uint8_t> commands;
  hook = [&](const Sent& sent) {
    commands.push_back(std::to_integer<std::uint8_t>(sent.frame[29]) & 0x0FU);
    return target.answer(sent);
  };
  options.command = protocol::ConfigCommand::force_set;
  options.string = "me";
  EXPECT_EQ(run().answers, 1U);
  EXPECT_THAT(commands, testing::Contains(4).Times(1));
  EXPECT_EQ(console.printed, "7.1\towner\n");  // what the target answered
}

TEST_F(CfgTest, ARefusalIsAWord) {
  hook = [&](const Sent& sent) { return std::optional(refused(*target.answer(sent), 4)); };
  options.command = protocol::ConfigCommand::set;
  one_device();
  EXPECT_EQ(run().refusals, 1U);
  EXPECT_EQ(console.printed, "*badcfg*\n");
  EXPECT_STREQ(refusal_word(1), "*badcmd*");
  EXPECT_STREQ(refusal_word(2), "*badarg*");
  EXPECT_STREQ(refusal_word(3), "*baddev*");
  EXPECT_STREQ(refusal_word(5), "*badvers*");
  EXPECT_STREQ(refusal_word(6), "*GOK*");
  EXPECT_STREQ(refusal_word(200), "*GOK*");
}

TEST_F(CfgTest, SilencePrintsNothing) {
  hook = [](const Sent&) { return std::nullopt; };
  one_device();
  EXPECT_EQ(run().answers, 0U);
  EXPECT_EQ(console.printed + console.complaints, "");
}

TEST_F(CfgTest, SaysWhatItWasToldWrong) {
  const auto call = [&](std::vector<std::string> arguments) {
    console.printed.clear();
    console.complaints.clear();
    return config_strings(
        {.name = "aoecfg", .arguments = std::move(arguments), .called = "aoecfg", .places = {}},
        console);
  };
  constexpr const char* kUsage =
      "usage: aoecfg [-c cmd] [-s cfgstr] [-t timeout] [shelf slot] [net]\n";
  EXPECT_EQ(call({"-c", "erase"}), 1);
  EXPECT_EQ(console.complaints, kUsage);
  EXPECT_EQ(call({"1", "2", "eth0", "more"}), 1);
  EXPECT_EQ(console.complaints, kUsage);
  EXPECT_EQ(call({"5"}), 1);
  EXPECT_EQ(console.complaints,
            "aoecfg Error: \"5\" is not a valid network interface\n"
            "usage: aoecfg [-c cmd] [-s cfgstr] [-t timeout] [shelf slot] [net]\n");
  EXPECT_EQ(call({"-s", std::string(1025, 'x')}), 1);
  EXPECT_THAT(console.complaints, HasSubstr("1025 bytes (at most 1024)"));
}

}  // namespace
}  // namespace aoe::compat::aoetools
