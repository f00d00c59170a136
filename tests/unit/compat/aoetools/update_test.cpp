// coraid-update to files that stand for devices.
#include "compat/aoetools/commands.h"
#include "compat/aoetools/files.h"
#include "unit/compat/aoetools/fake_host.h"
#include "unit/compat/recording_console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::aoetools {
namespace {

class Update : public ::testing::Test {
 protected:
  void SetUp() override {
    host.add_disk("e100.40", "80000\n", "eth0\n", "8192\n", "up\n");
    node = host.places.dev + "/etherd/e100.40";
    FakeHost::write(node, std::string(40960, 'o'));
    file = host.places.run + "/update";
    FakeHost::write(file, "new content");
  }

  int run(std::vector<std::string> arguments) {
    const auto driver = make_kernel_driver(host.places);
    return update_appliance(host.call("coraid-update", std::move(arguments)), *driver, console);
  }

  [[nodiscard]] std::string node_text() const { return read_small_file(node).value_or(""); }

  FakeHost host;
  RecordingConsole console;
  std::string node;
  std::string file;
};

TEST_F(Update, IsSilentAndLeavesTheRestOfTheTarget) {
  EXPECT_EQ(run({file, node}), 0);
  EXPECT_EQ(console.printed + console.complaints, "");
  EXPECT_EQ(node_text(), "new content" + std::string(40960 - 11, 'o'));
}

TEST_F(Update, RefusesWhatIsNoTarget) {
  EXPECT_EQ(run({file, "/dev/sda"}), 1);
  EXPECT_EQ(console.complaints,
            "coraid-update Error: \"/dev/sda\" is not an AoE target\n"
            "usage: coraid-update {update file} {AoE device}\n");
}

TEST_F(Update, RefusesADiskThatIsTooLarge) {
  std::filesystem::resize_file(node, 70'001 * 1024);
  EXPECT_EQ(run({file, node}), 1);
  EXPECT_EQ(console.complaints,
            "Error coraid-update: " + node + " is too large to be an update target\n");
}

TEST_F(Update, RefusesAnArchiveThatIsNone) {
  FakeHost::write(file + "'s.tarc", "no archive");
  EXPECT_EQ(run({file + "'s.tarc", node}), 1);
  EXPECT_EQ(console.complaints, "coraid-update Error: \"" + file +
                                    "'s.tarc\" does not appear to be a valid tarc file\n");
  EXPECT_EQ(node_text(), std::string(40960, 'o'));
}

TEST_F(Update, RefusesAFileThatIsNotThere) {
  EXPECT_EQ(run({file + ".gone", node}), 1);
  EXPECT_EQ(console.complaints, "coraid-update Error: \"" + file + ".gone\" is not readable\n");
}

}  // namespace
}  // namespace aoe::compat::aoetools
