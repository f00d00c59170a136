#include "compat/solaris/daemon_targets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::solaris {
namespace {

using testing::ElementsAre;

std::vector<Channel> channels() {
  return {{0, "eth0", 0, 0}, {3, "eth1", 0, 0}};
}

DaemonTarget target(std::uint32_t channel, std::uint16_t shelf, bool is_enabled = true) {
  return {{channel, {Shelf{shelf}, Slot{1}}}, is_enabled};
}

Json path(const char* interface) {
  return {{"interface", interface}};
}

TEST(DaemonTargets, ADeviceIsATargetOnEachChannelThatReachesIt) {
  const Json list{{"devices",
                   {{{"address", "e7.1"}, {"state", "up"}},
                    {{"address", "e2.1"}, {"state", "up"}},
                    {{"address", "e9.1"}, {"state", "up"}}}}};
  const Json stats{{"devices",
                    {{"e7.1", {{"paths", {path("eth0"), path("eth1")}}}},
                     {"e2.1", {{"paths", {path("eth1"), path("eth1")}}}},
                     {"e9.1", {{"paths", {path("eth5")}}}}}}};
  EXPECT_THAT(targets_of(list, stats, channels()).value(),
              ElementsAre(target(0, 7), target(3, 2), target(3, 7)));
}

TEST(DaemonTargets, ADeviceWithoutPathsCouldBeOnAnyChannel) {
  const Json list{{"devices", {{{"address", "e7.1"}, {"state", "disabled"}}}}};
  EXPECT_THAT(targets_of(list, Json::object(), channels()).value(),
              ElementsAre(target(0, 7, false), target(3, 7, false)));
}

TEST(DaemonTargets, AnAnswerThatIsNoneIsAnError) {
  EXPECT_FALSE(targets_of(Json::object(), Json::object(), channels()).has_value());
  EXPECT_FALSE(targets_of({{"devices", {{{"address", 7}}}}}, {}, channels()).has_value());
}

TEST(DaemonTargets, PatternsSelect) {
  const std::vector<DaemonTarget> targets{target(0, 7), target(3, 2), target(3, 7)};
  EXPECT_EQ(select_targets(targets, {}), targets);
  EXPECT_THAT(select_targets(targets, {parse_address_pattern("/7").value()}),
              ElementsAre(target(0, 7), target(3, 7)));
  EXPECT_THAT(select_targets(targets, {parse_address_pattern("3/2").value(),
                                       parse_address_pattern("0").value()}),
              ElementsAre(target(0, 7), target(3, 2)));
}

}  // namespace
}  // namespace aoe::compat::solaris
