#include "targetd/reload_plan.h"

#include "targetd/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace aoe::targetd {
namespace {

using config::ChangedKey;
using config::ChangeEffect;
using config::ReloadPlan;

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};
constexpr DeviceAddress kE72{Shelf{7}, Slot{2}};
constexpr DeviceAddress kE73{Shelf{7}, Slot{3}};

std::string unit(std::string_view address, std::string_view more = "") {
  return "[[export]]\naddress = '" + std::string(address) + "'\nstore = '/a'\nallow = 'any'\n" +
         std::string(more) + "\n";
}

TargetConfig config_of(const std::string& exports, const std::string& daemon = "") {
  const LoadedConfig loaded =
      parse_config_text("interfaces = ['eth1']\n" + daemon + "\n" + exports, "t.toml");
  EXPECT_TRUE(loaded.diagnostics.ok());
  return loaded.config;
}

ReloadPlan plan_of(const TargetConfig& running, const TargetConfig& wanted) {
  return diff({running, wanted});
}

TEST(ReloadPlan, EqualConfigurationsNeedNothing) {
  // Another order and other places in the file are no change.
  const ReloadPlan plan =
      plan_of(config_of(unit("7.1") + unit("7.2")), config_of("\n\n" + unit("7.2") + unit("7.1")));
  EXPECT_TRUE(plan.empty());
  EXPECT_THAT(plan.unchanged, ElementsAre(kE71, kE72));
  EXPECT_EQ(to_string(plan), "2 unchanged");
}

TEST(ReloadPlan, DefaultsWrittenOutAreNoChange) {
  const ReloadPlan plan = plan_of(
      config_of(unit("7.1")), config_of(unit("7.1", "buffers = 64\ncache = '0'\ndirect = 'auto'")));
  EXPECT_TRUE(plan.empty());
}

TEST(ReloadPlan, ExportsComeAndGo) {
  const ReloadPlan plan =
      plan_of(config_of(unit("7.1") + unit("7.2")), config_of(unit("7.3") + unit("7.2")));
  EXPECT_THAT(plan.added, ElementsAre(kE73));
  EXPECT_THAT(plan.removed, ElementsAre(kE71));
  EXPECT_THAT(plan.unchanged, ElementsAre(kE72));
  EXPECT_THAT(plan.changed, IsEmpty());
  EXPECT_EQ(to_string(plan), "1 added (e7.3), 1 removed (e7.1), 1 unchanged");
}

TEST(ReloadPlan, AccessIsChangedLive) {
  const ReloadPlan plan = plan_of(
      config_of(unit("7.1")), config_of(unit("7.1", "remote_admin = 'none'\ninterfaces = 'eth1'")));
  ASSERT_EQ(plan.changed.size(), 1U);
  EXPECT_EQ(plan.changed[0].address, kE71);
  EXPECT_THAT(plan.changed[0].keys, ElementsAre(ChangedKey{"remote_admin", ChangeEffect::live},
                                                ChangedKey{"interfaces", ChangeEffect::live}));
  EXPECT_FALSE(plan.changed[0].needs_reopen());
}

TEST(ReloadPlan, EveryOtherKeyOfTheDiskNeedsAReopen) {
  for (const char* line :
       {"mode = 'read-only'", "buffers = 65", "offset = 1", "length = 1", "direct = 'on'",
        "cache = '1M'", "shadow = '/s'", "shadow_full = 'refuse'", "overlay = '/o'",
        "snapshots = '/n'", "integrity = '/i'", "model = 'M'", "serial = 'S'"}) {
    const ReloadPlan plan = plan_of(config_of(unit("7.1")), config_of(unit("7.1", line)));
    ASSERT_EQ(plan.changed.size(), 1U) << line;
    ASSERT_EQ(plan.changed[0].keys.size(), 1U) << line;
    EXPECT_TRUE(std::string_view(line).starts_with(plan.changed[0].keys[0].name)) << line;
    EXPECT_TRUE(plan.changed[0].needs_reopen()) << line;
  }
}

TEST(ReloadPlan, StartOfflineMattersAtTheNextStartOnly) {
  const ReloadPlan plan =
      plan_of(config_of(unit("7.1")), config_of(unit("7.1", "start_offline = true")));
  ASSERT_EQ(plan.changed.size(), 1U);
  EXPECT_THAT(plan.changed[0].keys,
              ElementsAre(ChangedKey{"start_offline", ChangeEffect::restart}));
  EXPECT_FALSE(plan.changed[0].needs_reopen());
}

TEST(ReloadPlan, KeysOfTheDaemonSayWhatTheyNeed) {
  const ReloadPlan plan = plan_of(config_of(unit("7.1")),
                                  config_of(unit("7.1"), "log_level = 'debug'\nstate_dir = '/s'"));
  EXPECT_THAT(plan.daemon_keys, ElementsAre(ChangedKey{"state_dir", ChangeEffect::restart},
                                            ChangedKey{"log_level", ChangeEffect::live}));
  EXPECT_FALSE(plan.empty());
  EXPECT_EQ(to_string(plan), "1 unchanged; needs a restart: state_dir");
}

TEST(ReloadPlan, ChangedExportsAreNamedWithTheirKeys) {
  const ReloadPlan plan =
      plan_of(config_of(unit("7.1") + unit("7.2")),
              config_of(unit("7.1", "buffers = 3\nmodel = 'M'") + unit("7.2", "model = 'M'")));
  EXPECT_EQ(to_string(plan), "2 changed (e7.1: buffers, model; e7.2: model), 0 unchanged");
}

}  // namespace
}  // namespace aoe::targetd
