#include "tools/command_line.h"

#include "tools/command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

namespace aoe::tools {
namespace {

struct Seen {
  int runs = 0;
  std::string device;
  std::string action;
  std::string text;
  std::vector<std::string> rest;
  std::uint64_t count = 3;
  Duration time{};
  std::vector<std::string> interfaces;
  bool flag = false;
};

// What the command that ran was given. The table makes commands with plain functions, so they
// leave it here for the test.
Seen& seen() {
  static Seen value;
  return value;
}

class ProbeCommand final : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"DEVICE", "", "d"}, given_.device, Needed::yes);
    line.positional_choice({"ACTION", "", "a"}, given_.action, {"get", "set"}, Needed::no);
    line.positional({"STRING", "", "s"}, given_.text, Needed::no);
    line.positional_rest({"REST", "", "r"}, given_.rest);
    line.option({"-c,--count", "N", "n"}, given_.count);
    line.option({"--time", "TIME", "t"}, given_.time);
    line.option({"-i,--interface", "IF", "i"}, given_.interfaces);
    line.flag({"-f,--flag", "", "f"}, given_.flag);
  }

  Result<ExitStatus> run() override {
    ++given_.runs;
    seen() = given_;
    if (given_.device == "fail") {
      return fail_with(Errc::timed_out, 0, "fail: it failed");
    }
    return ExitStatus::ok;
  }

 private:
  Seen given_;
};

std::unique_ptr<Command> make_probe() {
  return std::make_unique<ProbeCommand>();
}

constexpr std::array kGroups{CommandGroup{"group", "g"}};
constexpr std::array kCommands{CommandEntry{"", "probe", "p", make_probe},
                               CommandEntry{"", "copy", "c", make_probe},
                               CommandEntry{"group", "probe", "p", make_probe}};

int run(const std::vector<const char*>& words) {
  seen() = {};
  std::vector<const char*> arguments(words.size() + 1, "aoe");
  std::copy(words.begin(), words.end(), arguments.begin() + 1);
  const Program program{"aoe", "test", "1.0", kGroups, kCommands};
  return static_cast<int>(
      run_program(program, static_cast<int>(arguments.size()), arguments.data()));
}

TEST(CommandLine, BindsWhatIsGivenAndKeepsDefaults) {
  EXPECT_EQ(run({"probe", "e7.1", "-i", "eth1", "set", "--time=100ms", "-i", "eth2", "text", "-f",
                 "x", "y"}),
            0);
  EXPECT_EQ(seen().device, "e7.1");
  EXPECT_EQ(seen().action, "set");
  EXPECT_EQ(seen().text, "text");
  EXPECT_EQ(seen().rest, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(seen().count, 3U);
  EXPECT_EQ(seen().time, Duration::milliseconds(100));
  EXPECT_EQ(seen().interfaces, (std::vector<std::string>{"eth1", "eth2"}));
  EXPECT_TRUE(seen().flag);
  EXPECT_EQ(seen().runs, 1);
}

TEST(CommandLine, AnArgumentThatIsNamedLikeACommandIsAnArgument) {
  EXPECT_EQ(run({"probe", "e7.1", "set", "copy"}), 0);
  EXPECT_EQ(seen().text, "copy");
  EXPECT_EQ(run({"group", "probe", "probe", "get", "group"}), 0);
  EXPECT_EQ(seen().device, "probe");
  EXPECT_EQ(seen().text, "group");
}

TEST(CommandLine, AnEmptyArgumentAndOneWithADashAreTaken) {
  EXPECT_EQ(run({"probe", "e7.1", "set", ""}), 0);
  EXPECT_EQ(seen().text, "");
  EXPECT_EQ(run({"probe", "e7.1", "set", "--", "-x"}), 0);
  EXPECT_EQ(seen().text, "-x");
  EXPECT_EQ(run({"probe", "-", "set"}), 0);
  EXPECT_EQ(seen().device, "-");
}

struct Misuse {
  std::vector<const char*> arguments;
  const char* message;
};

TEST(CommandLine, MisuseEndsWithTwoAndSaysWhatAndWhereHelpIs) {
  const Misuse cases[] = {
      {{}, "aoe: no command given (see aoe --help)\n"},
      {{"group"}, "aoe: group: no command given (see aoe group --help)\n"},
      {{"probe"}, "aoe: probe: DEVICE is required (see aoe probe --help)\n"},
      {{"probe", "e7.1", "put"}, "put: not one of get|set"},
      {{"probe", "e7.1", "--count", "x"}, "x: not a whole number from 0"},
      {{"probe", "e7.1", "--count=-1"}, "-1: not a whole number from 0"},
      {{"probe", "e7.1", "--count", "5K"}, "5K: not a whole number from 0"},
      {{"probe", "e7.1", "--time", "soon"}, "soon: not a time"},
      {{"probe", "e7.1", "--nonsense"}, "--nonsense"},
      {{"nothing"}, "aoe: nothing: no such command (see aoe --help)\n"},
      {{"group", "nothing"}, "aoe: group: nothing: no such command (see aoe group --help)\n"},
  };
  for (const Misuse& misuse : cases) {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(run(misuse.arguments), 2);
    const std::string text = ::testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find(misuse.message), std::string::npos) << text;
    EXPECT_TRUE(text.starts_with("aoe: ")) << text;
    EXPECT_EQ(seen().runs, 0);
  }
}

TEST(CommandLine, AnErrorIsPrintedWithItsStatus) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run({"probe", "fail"}), 3);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "aoe: fail: it failed\n");
}

TEST(CommandLine, HelpAndVersionGoToStandardOutputWithStatusZero) {
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "aoe 1.0\n");
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(run({"probe", "--help"}), 0);
  const std::string help = ::testing::internal::GetCapturedStdout();
  for (const char* part : {"aoe probe", "DEVICE", "get|set", "-c,--count N", "--time TIME"}) {
    EXPECT_NE(help.find(part), std::string::npos) << help;
  }
}

}  // namespace
}  // namespace aoe::tools
