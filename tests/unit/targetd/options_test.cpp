#include "targetd/options.h"

#include "support/diagnostics_text.h"
#include "targetd/config_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <variant>
#include <vector>

namespace aoe::targetd {
namespace {

using config::Action;
using config::Diagnostics;
using config::lines_of;
using config::LogLevel;
using config::PrintedText;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Arguments = std::vector<std::string>;

Options options_of(const Arguments& arguments) {
  const CommandLine parsed = parse_command_line(arguments);
  if (const auto* diagnostics = std::get_if<Diagnostics>(&parsed)) {
    ADD_FAILURE() << ::testing::PrintToString(lines_of(diagnostics->errors));
  }
  const auto* options = std::get_if<Options>(&parsed);
  return options == nullptr ? Options{} : *options;
}

std::vector<std::string> errors_of(const Arguments& arguments) {
  const CommandLine parsed = parse_command_line(arguments);
  if (const auto* diagnostics = std::get_if<Diagnostics>(&parsed)) {
    return lines_of(diagnostics->errors);
  }
  return {};
}

std::string printed(const Arguments& arguments) {
  const CommandLine parsed = parse_command_line(arguments);
  const auto* text = std::get_if<PrintedText>(&parsed);
  return text == nullptr ? "" : text->text;
}

TEST(CommandLine, InterfacesAndExportsMakeAConfiguration) {
  const LoadedConfig loaded = load_config(options_of(
      {"-i", "eth1,eth2", "-e", "7.1=/a,allow=any", "-i", "eth3", "--export=7.2=/b,allow=any"}));
  EXPECT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  EXPECT_THAT(lines_of(loaded.diagnostics.warnings), IsEmpty());
  EXPECT_THAT(loaded.config.interfaces, ElementsAre("eth1", "eth2", "eth3"));
  ASSERT_EQ(loaded.config.exports.size(), 2U);
  EXPECT_EQ(loaded.config.exports[1].store, "/b");
  EXPECT_EQ(loaded.config.origin, "command line");
}

TEST(CommandLine, OptionsReachTheirKeys) {
  const Options options = options_of({"-i",
                                      "eth1",
                                      "-e",
                                      "7.1=/a",
                                      "--state-dir",
                                      "/s",
                                      "--control=/c.sock",
                                      "--log-level",
                                      "debug",
                                      "--metrics",
                                      "127.0.0.1:1",
                                      "--frame-life",
                                      "2s",
                                      "--shards",
                                      "auto",
                                      "--user",
                                      "u",
                                      "--group",
                                      "g",
                                      "--run",
                                      "echo hi",
                                      "--foreground"});
  EXPECT_EQ(options.action, Action::serve);
  EXPECT_EQ(options.run_command, "echo hi");
  const LoadedConfig loaded = load_config(options);
  EXPECT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  EXPECT_EQ(loaded.config.state_dir, "/s");
  EXPECT_EQ(loaded.config.frame_life, Duration::seconds(2));
  EXPECT_EQ(loaded.config.shards, 0);
  EXPECT_EQ(loaded.config.control_path, "/c.sock");
  EXPECT_EQ(loaded.config.log_level, LogLevel::debug);
  ASSERT_TRUE(loaded.config.metrics.has_value());
  EXPECT_EQ(loaded.config.metrics->port, 1);
  EXPECT_EQ(loaded.config.user, "u");
  EXPECT_EQ(loaded.config.group, "g");
}

TEST(CommandLine, ActionsAreTold) {
  EXPECT_EQ(options_of({"-i", "a", "-e", "7.1=/a", "--check-config"}).action, Action::check_config);
  EXPECT_EQ(options_of({"--config", "/c", "--dump-config"}).action, Action::dump_config);
  EXPECT_EQ(options_of({"-c", "/c"}).config_path, "/c");
}

TEST(CommandLine, OpenExportsAreWarnedOfInOneLine) {
  Arguments arguments{"-i", "eth1", "-e", "7.100=/x,allow=any"};
  for (int slot = 0; slot < 3; ++slot) {
    arguments.emplace_back("-e");
    arguments.push_back("7." + std::to_string(slot) + "=memory:1M");
  }
  EXPECT_THAT(lines_of(load_config(options_of(arguments)).diagnostics.warnings),
              ElementsAre("command line: e7.0, e7.1, e7.2: open to every host on the network "
                          "(allow=MAC+MAC.. restricts, allow=any says that this is meant)"));
  for (int slot = 3; slot < 20; ++slot) {
    arguments.emplace_back("-e");
    arguments.push_back("7." + std::to_string(slot) + "=memory:1M");
  }
  EXPECT_THAT(lines_of(load_config(options_of(arguments)).diagnostics.warnings),
              ElementsAre(HasSubstr("e7.7 and 12 more: open to")));
}

struct BadCommandLine {
  Arguments arguments;
  std::vector<std::string> messages;  // behind "command line: "
};

TEST(CommandLine, MisuseIsRefusedWithOptionAndExpectation) {
  const std::string no_i =
      "-i is missing: expected -i IF[,IF..], the interfaces to serve on (or --config FILE)";
  const std::string no_e =
      "-e is missing: expected -e SHELF.SLOT=STORE, at least one (or --config FILE)";
  const std::vector<BadCommandLine> table{
      {{}, {no_i, no_e}},
      {{"-i", "eth1"}, {no_e}},
      {{"-e", "7.1=/a"}, {no_i}},
      {{"-i"}, {"--interface: expected IF[,IF..] behind it"}},
      {{"-i", "eth1", "-e"}, {"--export: expected SHELF.SLOT=STORE[,KEY=VALUE..] behind it"}},
      {{"--config"}, {"--config: expected FILE behind it"}},
      {{"--config", ""}, {"--config: empty: expected the path of a file"}},
      {{"--config", "/a", "--config", "/b"}, {"--config: given twice"}},
      {{"--config", "/a", "-i", "eth1", "-e", "7.1=/a"},
       {"-i and --config: expected one of them (write it into FILE, or leave --config out)",
        "-e and --config: expected one of them (write it into FILE, or leave --config out)"}},
      {{"--config", "/a", "--check-config", "--dump-config"},
       {"--check-config and --dump-config: expected one of them"}},
      {{"--config", "/a", "--run", ""}, {"--run: empty: expected a command"}},
      {{"--config", "/a", "--log-level", "info", "--log-level", "info"},
       {"--log-level: given twice"}},
      {{"--confg", "/a"}, {"unknown option \"--confg\" (did you mean \"--config\"?)"}},
      {{"--confg=/a"}, {"unknown option \"--confg\" (did you mean \"--config\"?)"}},
      {{"--statedir", "/a", "--controls", "/b"},
       {"unknown option \"--statedir\" (did you mean \"--state-dir\"?)",
        "unknown option \"--controls\" (did you mean \"--control\"?)"}},
      {{"eth1"},
       {"unexpected argument \"eth1\": expected options alone (an export is given as -e "
        "SHELF.SLOT=STORE)"}},
      {{"-i", "eth1", "7.1=/a"},
       {"unexpected argument \"7.1=/a\": expected options alone (an export is given as -e "
        "SHELF.SLOT=STORE)"}},
  };
  for (const BadCommandLine& bad : table) {
    std::vector<std::string> expected;
    for (const std::string& message : bad.messages) {
      expected.push_back("command line: " + message);
    }
    EXPECT_EQ(errors_of(bad.arguments), expected) << ::testing::PrintToString(bad.arguments);
  }
}

TEST(CommandLine, ValuesAreRefusedWithTheirOption) {
  const LoadedConfig loaded = load_config(
      options_of({"-i", "eth1,,eth2", "-e", "7.1=/a,mode=x", "-e", "7.x=/b", "--log-level", "loud",
                  "--control", std::string(108, 'c'), "--group", "g"}));
  EXPECT_THAT(
      lines_of(loaded.diagnostics.errors),
      ElementsAre("-i: interfaces: \"\": expected interface names of 1 to 15 characters without "
                  "blanks, '/', ':' and ','",
                  "-e 7.1=/a,mode=x: mode: \"x\": expected one of write-through, write-back, "
                  "read-only",
                  "-e 7.x=/b: address: \"7.x\": expected SHELF.SLOT, such as 7.1 or e7.1",
                  "--control: control: 108 bytes long: expected the path of a socket, at most 107 "
                  "bytes",
                  "--log-level: log_level: \"loud\": expected one of error, warning, info, debug, "
                  "trace",
                  "command line: group: given without user: expected both or user alone"));
}

TEST(CommandLine, HelpNamesEveryOptionAndKey) {
  const std::string help = printed({"--help"});
  for (const char* option :
       {"--interface", "--export", "--config", "--run", "--state-dir", "--control", "--log-level",
        "--metrics", "--frame-life", "--shards", "--user", "--group", "--foreground",
        "--check-config", "--dump-config", "--help", "--version"}) {
    EXPECT_THAT(help, HasSubstr(option));
  }
  for (const ExportKey& key : export_keys()) {
    if (key.name != "address" && key.name != "store") {
      EXPECT_THAT(help, HasSubstr("  " + std::string(key.name) + "="));
    }
  }
  EXPECT_EQ(help, printed({"-h"}));
  EXPECT_EQ(help, printed({"-i", "eth1", "--help", "--nonsense"}));
}

TEST(CommandLine, VersionIsOneLine) {
  EXPECT_THAT(printed({"--version"}), ::testing::MatchesRegex("aoe-targetd [0-9.]+\n"));
}

TEST(CommandLine, EveryKeyOfTheDaemonButInterfacesHasAnOption) {
  for (const TargetKey& key : target_keys()) {
    std::string option = "--" + std::string(key.name);
    std::replace(option.begin(), option.end(), '_', '-');
    if (key.name == "interfaces") {
      continue;
    }
    const Options options = options_of({"--config", "/c", option, "x"});
    ASSERT_EQ(options.overrides.size(), 1U) << option;
    EXPECT_EQ(options.overrides[0].first, key.name);
  }
}

TEST(CommandLine, OptionsWinOverTheFile) {
  std::string path = ::testing::TempDir() + "aoe-options-XXXXXX";
  const int fd = ::mkstemp(path.data());
  ASSERT_GE(fd, 0);
  const std::string text =
      "interfaces = ['eth1']\nlog_level = 'error'\nstate_dir = '/file'\n"
      "[[export]]\naddress = '7.1'\nstore = '/a'\nallow = 'any'\n"
      "[[export]]\naddress = '7.1'\nstore = '/b'\nallow = 'any'\n";
  ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  (void)::close(fd);
  const LoadedConfig loaded = load_config(options_of({"--config", path, "--log-level", "trace"}));
  (void)::unlink(path.c_str());
  EXPECT_EQ(loaded.config.log_level, LogLevel::trace);
  EXPECT_EQ(loaded.config.state_dir, "/file");
  EXPECT_THAT(lines_of(loaded.diagnostics.errors),
              ElementsAre(path + ":8:1: address: e7.1 is used twice (first at " + path + ":4:1)"));
}

}  // namespace
}  // namespace aoe::targetd
