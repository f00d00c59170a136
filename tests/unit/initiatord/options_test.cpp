#include "initiatord/options.h"

#include "support/diagnostics_text.h"
#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace aoe::initiatord {
namespace {

using config::lines_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Arguments = std::vector<std::string>;

Options options_of(const Arguments& arguments) {
  const CommandLine parsed = parse_command_line(arguments);
  const auto* options = std::get_if<Options>(&parsed);
  EXPECT_NE(options, nullptr);
  return options == nullptr ? Options{} : *options;
}

TEST(InitiatorOptions, InterfacesAloneMakeAConfiguration) {
  const LoadedConfig loaded = load_config(
      options_of({"-i", "eth1,eth2", "-i", "eth3", "--control", "/c", "--log-level", "error"}));
  EXPECT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  EXPECT_THAT(loaded.config.interfaces, ElementsAre("eth1", "eth2", "eth3"));
  EXPECT_EQ(loaded.config.control_path, "/c");
  EXPECT_EQ(loaded.config.log_level, config::LogLevel::error);
  EXPECT_EQ(loaded.config.open, OpenPolicy::found);
}

TEST(InitiatorOptions, TheCommandLineWinsOverTheFile) {
  const aoe::testing::TempDir directory;
  const std::string path = directory.path("i.toml");
  std::ofstream(path) << "interfaces = ['eth7']\ncontrol = '/file'\n[[device]]\naddress = '7.1'\n";
  const LoadedConfig from_file = load_config(options_of({"--config", path}));
  EXPECT_THAT(from_file.config.interfaces, ElementsAre("eth7"));
  const LoadedConfig loaded = load_config(options_of({"--config", path, "-i", "eth1"}));
  EXPECT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  EXPECT_THAT(loaded.config.interfaces, ElementsAre("eth1"));
  EXPECT_EQ(loaded.config.control_path, "/file");
  EXPECT_EQ(loaded.config.devices.size(), 1U);
}

TEST(InitiatorOptions, SlipsAreToldInOneLineEach) {
  const auto errors = [](const Arguments& arguments) {
    const CommandLine parsed = parse_command_line(arguments);
    const auto* diagnostics = std::get_if<config::Diagnostics>(&parsed);
    return diagnostics == nullptr ? std::vector<std::string>{} : lines_of(diagnostics->errors);
  };
  EXPECT_THAT(errors({}), ElementsAre(HasSubstr("-i is missing")));
  EXPECT_THAT(errors({"-i", "eth1", "--contrl", "/c"}),
              ElementsAre(HasSubstr("did you mean \"--control\"?")));
  EXPECT_THAT(errors({"-i", "eth1", "eth2"}),
              ElementsAre("command line: unexpected argument \"eth2\": expected options alone "
                          "(interfaces are given as -i IF)"));
}

}  // namespace
}  // namespace aoe::initiatord
