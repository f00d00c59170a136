#include "compat/solaris/daemon_start.h"

#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace aoe::compat::solaris {
namespace {

using ::testing::ElementsAre;

TEST(DaemonStart, ElsewhereThanOnTheHostEverythingHasItsPlaceThere) {
  aoe::testing::TempDir dir;
  std::filesystem::create_directories(dir.path("run/systemd/system"));
  std::filesystem::create_directories(dir.path("bin"));
  std::ofstream(dir.path("bin/aoe-initiatord")) << "a program";
  Places places;
  places.run = dir.path("run");
  places.dev = dir.path("dev");
  const DaemonStart start = plan_daemon_start(places, dir.path("libexec/aoekit/solaris"), "eth1");
  EXPECT_FALSE(start.by_service_manager);
  EXPECT_EQ(start.program, dir.path("bin/aoe-initiatord"));
  EXPECT_THAT(
      start.arguments,
      ElementsAre("-i", "eth1", "--control", dir.path("run/aoekit/initiator.sock"), "--mount",
                  dir.path("run/aoekit/etherd"), "--links", dir.path("dev/etherd")));
}

TEST(DaemonStart, AProgramThatIsNotBesideIsLookedForInPath) {
  EXPECT_EQ(plan_daemon_start({}, "/nowhere/libexec/aoekit/solaris", "eth1").program,
            "aoe-initiatord");
}

}  // namespace
}  // namespace aoe::compat::solaris
