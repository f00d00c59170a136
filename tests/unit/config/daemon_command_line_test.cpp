#include "config/daemon_command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace aoe::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(DaemonCommandLine, MainsArgumentsBeginBehindTheName) {
  const std::array<const char*, 3> argv{"aoe-targetd", "-i", "eth1"};
  EXPECT_THAT(arguments_of(static_cast<int>(argv.size()), argv.data()), ElementsAre("-i", "eth1"));
  EXPECT_THAT(arguments_of(0, nullptr), IsEmpty());
}

TEST(DaemonCommandLine, CommasSplitLists) {
  EXPECT_THAT(split_at_commas({"eth1,eth2", "eth3"}), ElementsAre("eth1", "eth2", "eth3"));
  EXPECT_THAT(split_at_commas({"eth1,"}), ElementsAre("eth1", ""));
}

}  // namespace
}  // namespace aoe::config
