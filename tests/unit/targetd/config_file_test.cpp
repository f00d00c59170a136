#include "targetd/config_file.h"

#include "support/diagnostics_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace aoe::targetd {
namespace {

using config::lines_of;
using config::LogLevel;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kGood = R"(interfaces = ["eth1"]

[[export]]
address = "7.1"
store = "/srv/a.img"
allow = "any"
)";

std::vector<std::string> errors_of(std::string_view text) {
  return lines_of(parse_config_text(text, "t.toml").diagnostics.errors);
}

TEST(ConfigFile, AllKeysReachTheirFields) {
  const LoadedConfig loaded = parse_config_text(R"(
interfaces = ["eth1", "eth2"]
state_dir = "/state"
control = "/run/c.sock"
log_level = "debug"
metrics = "[::1]:9750"
frame_life = "1500ms"
shards = 4
user = "aoekit"
group = "disk"

[[export]]                  # line 12
address = "e7.1"
store = "/srv/a=b,c.img"
mode = "read-only"
buffers = 128
offset = 16
length = "1G"
direct = "on"
cache = 65536
allow = ["02:00:00:00:0a:10", "02-00-00-00-0a-11"]
shadow = "/srv/shadow"
model = "Model 1"
serial = "SER1"
remote_admin = "none"
interfaces = ["eth2"]
start_offline = true

[[export]]
address = "7.2"
store = "null:1T"
allow = "any"
remote_admin = "02:00:00:00:0a:10"
)",
                                                "t.toml");
  ASSERT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  EXPECT_THAT(lines_of(loaded.diagnostics.warnings), IsEmpty());
  const TargetConfig& config = loaded.config;
  EXPECT_THAT(config.interfaces, ElementsAre("eth1", "eth2"));
  EXPECT_EQ(config.state_dir, "/state");
  EXPECT_EQ(config.frame_life, Duration::milliseconds(1500));
  EXPECT_EQ(config.shards, 4);
  EXPECT_EQ(config.control_path, "/run/c.sock");
  EXPECT_EQ(config.log_level, LogLevel::debug);
  ASSERT_TRUE(config.metrics.has_value());
  EXPECT_EQ(config.metrics->host, "::1");
  EXPECT_EQ(config.metrics->port, 9750);
  EXPECT_EQ(config.user, "aoekit");
  EXPECT_EQ(config.group, "disk");
  EXPECT_EQ(config.origin, "t.toml");
  ASSERT_EQ(config.exports.size(), 2U);
  const ExportConfig& first = config.exports[0];
  EXPECT_EQ(to_string(first.address), "e7.1");
  EXPECT_EQ(first.origin, "t.toml:12:1");
  EXPECT_EQ(first.store, "/srv/a=b,c.img");
  EXPECT_EQ(first.mode, ExportMode::read_only);
  EXPECT_EQ(first.buffers, 128U);
  EXPECT_EQ(first.offset_sectors, 16U);
  EXPECT_EQ(first.length_sectors, 2097152U);
  EXPECT_EQ(first.direct, DirectIo::on);
  EXPECT_EQ(first.cache_bytes, 65536U);
  EXPECT_EQ(first.allow.macs.size(), 2U);
  EXPECT_EQ(first.shadow, "/srv/shadow");
  EXPECT_EQ(first.model, "Model 1");
  EXPECT_EQ(first.serial, "SER1");
  EXPECT_EQ(first.remote_admin.who, RemoteAdmin::Who::none);
  EXPECT_THAT(first.interfaces, ElementsAre("eth2"));
  EXPECT_TRUE(first.start_offline);
  EXPECT_EQ(config.exports[1].remote_admin.who, RemoteAdmin::Who::listed);
}

TEST(ConfigFile, DefaultsFillTheRest) {
  const LoadedConfig loaded = parse_config_text(kGood, "t.toml");
  ASSERT_TRUE(loaded.diagnostics.ok());
  EXPECT_EQ(loaded.config.state_dir, "/var/lib/aoekit");
  EXPECT_EQ(loaded.config.control_path, "/run/aoekit/target.sock");
  EXPECT_EQ(loaded.config.log_level, LogLevel::info);
  EXPECT_FALSE(loaded.config.metrics.has_value());
  EXPECT_EQ(loaded.config.frame_life, Duration::seconds(1));
  EXPECT_EQ(loaded.config.shards, 1);
}

// One line in the daemon's part; it is line 1 of the file.
struct BadLine {
  const char* line;
  const char* message;
};

TEST(ConfigFile, BadKeysOfTheDaemonNamePlaceKeyAndExpectation) {
  const std::vector<BadLine> table{
      BadLine{"interface = 'eth1'",
              "t.toml:1:1: unknown key \"interface\" (did you mean \"interfaces\"?)"},
      BadLine{"exports = 1", "t.toml:1:1: unknown key \"exports\" (did you mean \"export\"?)"},
      BadLine{"listen = 1",
              "t.toml:1:1: unknown key \"listen\": expected one of interfaces, port, state_dir, "
              "control, log_level, metrics, frame_life, shards, busy_poll, user, group, "
              "export"},
      BadLine{"state_dir = 3",
              "t.toml:1:13: state_dir: expected the path of a directory, not a whole number"},
      BadLine{"state_dir = ''", "t.toml:1:13: state_dir: empty: expected the path of a directory"},
      BadLine{"shards = 65", "t.toml:1:10: shards: 65 is out of range: expected 1 to 64"},
      BadLine{"shards = 0", "t.toml:1:10: shards: 0 is out of range: expected 1 to 64"},
      BadLine{"control = true",
              "t.toml:1:11: control: expected the path of a socket, not a boolean"},
      BadLine{"log_level = 'loud'",
              "t.toml:1:13: log_level: \"loud\": expected one of error, "
              "warning, info, debug, trace"},
      BadLine{"log_level = 3",
              "t.toml:1:13: log_level: expected one of error, warning, info, "
              "debug, trace, not a whole number"},
      BadLine{"metrics = 9750",
              "t.toml:1:11: metrics: expected ADDR:PORT, such as "
              "127.0.0.1:9750 or [::1]:9750, not a whole number"},
      BadLine{"metrics = 'localhost:9750'",
              "t.toml:1:11: metrics: \"localhost:9750\": expected ADDR:PORT, such as "
              "127.0.0.1:9750 or [::1]:9750 with a numeric address"},
      BadLine{"metrics = '127.0.0.1'",
              "t.toml:1:11: metrics: \"127.0.0.1\": expected ADDR:PORT, such as 127.0.0.1:9750 or "
              "[::1]:9750 with a numeric address"},
      BadLine{"metrics = '::1:9750'",
              "t.toml:1:11: metrics: \"::1:9750\": expected ADDR:PORT, such as 127.0.0.1:9750 or "
              "[::1]:9750 with a numeric address"},
      BadLine{"metrics = '127.0.0.1:65536'",
              "t.toml:1:11: metrics: port 65536 is out of range: expected 1 to 65535"},
      BadLine{"metrics = '127.0.0.1:0'",
              "t.toml:1:11: metrics: port 0 is out of range: expected 1 to 65535"},
      BadLine{"user = 'a:b'", "t.toml:1:8: user: \"a:b\": expected the name of a user"},
      BadLine{"group = '-x'", "t.toml:1:9: group: \"-x\": expected the name of a group"},
      BadLine{"log_level.x = 1",
              "t.toml:1:1: log_level: expected one of error, warning, info, "
              "debug, trace, not a table, date or time"}};
  for (const BadLine& bad : table) {
    EXPECT_THAT(errors_of(std::string(bad.line) + "\n" + kGood), ElementsAre(bad.message))
        << bad.line;
  }
}

// One line in an export; it is line 7 of the file.
TEST(ConfigFile, BadKeysOfAnExportNamePlaceKeyAndExpectation) {
  const std::vector<BadLine> table{
      BadLine{"bufers = 3", "t.toml:7:1: unknown key \"bufers\" (did you mean \"buffers\"?)"},
      BadLine{"buffers = 1",
              "t.toml:7:11: buffers: 1 is out of range: expected 2 to 65535 (the "
              "Linux driver never sends to a target with 1 buffer)"},
      BadLine{"buffers = -3", "t.toml:7:11: buffers: -3 is out of range: expected 2 to 65535"},
      BadLine{"buffers = 65536",
              "t.toml:7:11: buffers: 65536 is out of range: expected 2 to 65535"},
      BadLine{"buffers = \"64\"",
              "t.toml:7:11: buffers: expected a whole number from 2 to 65535, not a string"},
      BadLine{"buffers = 2.5",
              "t.toml:7:11: buffers: expected a whole number from 2 to 65535, "
              "not a number with a fraction"},
      BadLine{"mode = 'writeback'",
              "t.toml:7:8: mode: \"writeback\": expected one of "
              "write-through, write-back, read-only"},
      BadLine{"mode = true",
              "t.toml:7:8: mode: expected one of write-through, write-back, "
              "read-only, not a boolean"},
      BadLine{"direct = false",
              "t.toml:7:10: direct: expected one of on, off, auto, not a "
              "boolean"},
      BadLine{"offset = -1",
              "t.toml:7:10: offset: -1 is out of range: expected 0 to 281474976710655"},
      BadLine{"offset = '513'\nlength = '1000X'",
              "t.toml:8:10: length: \"1000X\": expected a number of sectors, or a size such as "
              "20480s or 10G"},
      BadLine{"length = 0",
              "t.toml:7:10: length: 0 is out of range: expected 1 to "
              "281474976710656"},
      BadLine{"length = [1]",
              "t.toml:7:10: length: expected a number of sectors, or a size such "
              "as 20480s or 10G, not a list of other things than strings"},
      BadLine{"cache = 1.5",
              "t.toml:7:9: cache: expected a size such as 512, 64K, 10G or 20480s "
              "(K M G T P are powers of 1024, s is sectors of 512 bytes), not a "
              "number with a fraction"},
      BadLine{"model = \"caf\\u00e9\"",
              "t.toml:7:9: model: \"caf\\xc3\\xa9\": expected 1 to 40 printable ASCII "
              "characters"},
      BadLine{"serial = 7",
              "t.toml:7:10: serial: expected 1 to 20 printable ASCII characters, "
              "not a whole number"},
      BadLine{"shadow = \"a\\nb\"",
              "t.toml:7:10: shadow: \"a\\x0ab\": expected the path of a "
              "shadow file in UTF-8 without control characters"},
      BadLine{"remote_admin = []",
              "t.toml:7:16: remote_admin: the list is empty: expected "
              "initiators, none or MAC addresses such as "
              "02:00:00:00:0a:10"},
      BadLine{"remote_admin = [1]",
              "t.toml:7:16: remote_admin: expected initiators, none or MAC addresses such as "
              "02:00:00:00:0a:10, not a list of other things than strings"},
      BadLine{"remote_admin = ['02:00']",
              "t.toml:7:16: remote_admin: \"02:00\": expected initiators, none or MAC addresses "
              "such as 02:00:00:00:0a:10"},
      BadLine{"interfaces = []",
              "t.toml:7:14: interfaces: the list is empty: expected at least "
              "one interface name"},
      BadLine{"interfaces = ['a/b']",
              "t.toml:7:14: interfaces: \"a/b\": expected interface names of 1 to 15 characters "
              "without blanks, '/', ':' and ','"},
      BadLine{"interfaces = ['eth012345678901x']",
              "t.toml:7:14: interfaces: \"eth012345678901x\": expected interface names of 1 to 15 "
              "characters without blanks, '/', ':' and ','"},
      BadLine{"interfaces = 1",
              "t.toml:7:14: interfaces: expected interface names, not a whole "
              "number"},
      BadLine{"start_offline = 'true'",
              "t.toml:7:17: start_offline: expected true or false, not a string"},
      BadLine{"start_offline = 2020-01-01",
              "t.toml:7:17: start_offline: expected true or false, not a table, date or time"}};
  for (const BadLine& bad : table) {
    EXPECT_THAT(errors_of(std::string(kGood) + bad.line + "\n"), ElementsAre(bad.message))
        << bad.line;
  }
}

TEST(ConfigFile, AllowMustBeWritten) {
  EXPECT_THAT(errors_of("interfaces = ['eth1']\n[[export]]\naddress = '7.1'\nstore = '/a'\n"),
              ElementsAre("t.toml:2:1: export e7.1: allow: missing: expected \"any\" or a list of "
                          "MAC addresses"));
}

TEST(ConfigFile, AddressAndStoreMustBeWritten) {
  EXPECT_THAT(
      errors_of("interfaces = ['eth1']\n\n[[export]]\nallow = 'any'\n"),
      ElementsAre("t.toml:3:1: export: address: missing: expected SHELF.SLOT in quotes, such as "
                  "\"7.1\"",
                  "t.toml:3:1: export: store: missing: expected a path, file:PATH, memory:SIZE, "
                  "null:SIZE or rbd:POOL/IMAGE[@SNAP]"));
}

TEST(ConfigFile, AddressAsANumberIsRefusedWithTheReason) {
  EXPECT_THAT(
      errors_of("interfaces = ['a']\n[[export]]\naddress = 7.10\nstore = '/a'\nallow = "
                "'any'\n"),
      ElementsAre("t.toml:3:11: address: expected SHELF.SLOT in quotes, such as \"7.1\", not "
                  "a number (7.10 and 7.1 are the same number)"));
}

TEST(ConfigFile, InterfacesAndExportsMustBeThere) {
  EXPECT_THAT(errors_of(""),
              ElementsAre("t.toml: interfaces: missing: expected a list of at least one interface "
                          "name",
                          "t.toml: export: missing: expected at least one [[export]]"));
  EXPECT_THAT(errors_of("interfaces = []\nexport = []\n"),
              ElementsAre("t.toml:1:14: interfaces: the list is empty: expected at least one "
                          "interface name",
                          "t.toml:2:10: export: the list is empty: expected at least one "
                          "[[export]]"));
}

TEST(ConfigFile, ExportInOtherShapesIsExplained) {
  EXPECT_THAT(
      errors_of("interfaces = ['a']\n[export]\naddress = '7.1'\n"),
      ElementsAre("t.toml:2:1: export: expected [[export]] in double brackets, one a disk"));
  EXPECT_THAT(
      errors_of("interfaces = ['a']\nexport = 3\n"),
      ElementsAre("t.toml:2:10: export: expected [[export]] in double brackets, one a disk"));
  EXPECT_THAT(errors_of("interfaces = ['a']\nexport = ['7.1=/a']\n"),
              ElementsAre("t.toml:2:11: export: expected a table [[export]] for every disk"));
}

TEST(ConfigFile, AllErrorsAreReportedInTheOrderOfTheFile) {
  EXPECT_THAT(
      errors_of(R"(zeta = 1
interfaces = ["eth1", "eth1"]
[[export]]
store = "/a"
mode = "x"
address = "4095.0"
[[export]]
buffers = 1
allow = ["x"]
address = "7.2"
)"),
      ElementsAre(StartsWith("t.toml:1:1: unknown key"), StartsWith("t.toml:2:14: interfaces"),
                  StartsWith("t.toml:5:8: mode"), StartsWith("t.toml:6:11: address"),
                  StartsWith("t.toml:3:1: export: allow: missing"),
                  StartsWith("t.toml:8:11: buffers"), StartsWith("t.toml:9:9: allow"),
                  StartsWith("t.toml:7:1: export e7.2: store: missing")));
}

TEST(ConfigFile, SyntaxErrorsNameLineAndColumn) {
  EXPECT_THAT(errors_of("interfaces = ['a']\nmode = \n"),
              ElementsAre(StartsWith("t.toml:2:8: TOML syntax: ")));
  EXPECT_THAT(errors_of("interfaces = [\"a\n"), ElementsAre(StartsWith("t.toml:1:")));
  EXPECT_THAT(errors_of("= 3"), ElementsAre(StartsWith("t.toml:1:1: TOML syntax: ")));
  EXPECT_THAT(errors_of("\xff\xfe"), ElementsAre(StartsWith("t.toml:1:1: TOML syntax: ")));
}

TEST(ConfigFile, WhatCrashesTheLibraryIsASyntaxError) {
  // toml++ 3.3 has an assertion in the way of its own error message, and an `unreachable` that is
  // reached.
  EXPECT_THAT(errors_of("[[%x]]\n"), ElementsAre(StartsWith("t.toml:1:3: TOML syntax: ")));
  EXPECT_THAT(errors_of("[=]\n"), ElementsAre(StartsWith("t.toml:1:2: TOML syntax: ")));
  EXPECT_THAT(
      errors_of("\n\xc3\xa4 = 1\n"),
      ElementsAre("t.toml:2:1: TOML syntax: unexpected byte 0xc3: expected ASCII outside of "
                  "strings and comments"));
}

TEST(ConfigFile, DuplicateKeysNameTheSecondPlace) {
  const auto errors = errors_of(std::string(kGood) + "store = '/b'\n");
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_THAT(errors[0], StartsWith("t.toml:7:"));
  EXPECT_THAT(errors[0], HasSubstr("'store'"));
}

TEST(ConfigFile, DeepNestingIsRefusedAndNotRecursedInto) {
  std::string dots = "a";
  for (int i = 0; i < 200'000; ++i) {
    dots += ".a";
  }
  EXPECT_THAT(errors_of("# one line more\n" + dots + " = 1\n"),
              ElementsAre("t.toml:2:202: TOML syntax: more than 100 dots in a line"));
  EXPECT_THAT(errors_of("a = " + std::string(100'000, '[')), ElementsAre(StartsWith("t.toml:1:")));
  const std::string longest_key = dots.substr(0, 201);
  std::string deepest = "[" + longest_key + "]\n";
  for (int i = 0; i < 100; ++i) {
    deepest += longest_key + " = [\n{";
  }
  EXPECT_FALSE(errors_of(deepest).empty());
}

class ConfigFileOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "aoe-config-XXXXXX";
    const int fd = ::mkstemp(name.data());
    ASSERT_GE(fd, 0);
    (void)::close(fd);
    path_ = name;
  }

  void TearDown() override { (void)::unlink(path_.c_str()); }

  void write(const std::string& text) const {
    std::FILE* file = std::fopen(path_.c_str(), "we");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(std::fwrite(text.data(), 1, text.size(), file), text.size());
    EXPECT_EQ(std::fclose(file), 0);
  }

  std::string path_;
};

TEST_F(ConfigFileOnDisk, IsReadWhole) {
  const std::string padding = "#" + std::string(40'000, 'x') + "\n";
  write(padding + kGood);
  const LoadedConfig loaded = read_config_file(path_);
  EXPECT_THAT(lines_of(loaded.diagnostics.errors), IsEmpty());
  ASSERT_EQ(loaded.config.exports.size(), 1U);
  EXPECT_EQ(loaded.config.exports[0].origin, path_ + ":4:1");
}

TEST_F(ConfigFileOnDisk, ThatIsTooLongIsRefused) {
  write(std::string(config::kConfigFileBytesMax + 1, '\n'));
  EXPECT_THAT(lines_of(read_config_file(path_).diagnostics.errors),
              ElementsAre(path_ + ": the configuration is longer than 16777216 bytes"));
}

TEST(ConfigFile, ThatCannotBeReadIsNamed) {
  EXPECT_THAT(lines_of(read_config_file("/nonexistent/t.toml").diagnostics.errors),
              ElementsAre("/nonexistent/t.toml: cannot open the configuration: No such file or "
                          "directory"));
  EXPECT_THAT(lines_of(read_config_file("/").diagnostics.errors),
              ElementsAre("/: cannot read the configuration: Is a directory"));
}

}  // namespace
}  // namespace aoe::targetd
