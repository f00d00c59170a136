#include "compat/aoetools/commands.h"
#include "compat/aoetools/node_plan.h"
#include "unit/compat/aoetools/fake_host.h"
#include "unit/compat/recording_console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::aoetools {
namespace {

using Kind = DeviceNode::Kind;

TEST(NodePlan, ControlFilesHaveTheMinorNumbersOfTheDriver) {
  const auto nodes = control_nodes();
  ASSERT_EQ(nodes.size(), 5U);
  EXPECT_EQ(nodes[0], (DeviceNode{"err", Kind::character, 0400, 2}));
  EXPECT_EQ(nodes[4], (DeviceNode{"flush", Kind::character, 0200, 6}));
}

TEST(NodePlan, AShelfHasSixteenSlotsWithTheirPartitions) {
  const auto nodes = shelf_nodes(7, 16);
  ASSERT_EQ(nodes.size(), 256U);
  EXPECT_EQ(nodes[0], (DeviceNode{"e7.0", Kind::block, 0660, 7 * 256}));
  EXPECT_EQ(nodes[1], (DeviceNode{"e7.0p1", Kind::block, 0660, 7 * 256 + 1}));
  EXPECT_EQ(nodes[255], (DeviceNode{"e7.15p15", Kind::block, 0660, 7 * 256 + 255}));
  EXPECT_EQ(shelf_nodes(7, 1)[3], (DeviceNode{"e7.3", Kind::block, 0660, 7 * 16 + 3}));
}

TEST(MakeNodes, AreRefusedWhereSomebodyElseMakesThem) {
  FakeHost host;
  RecordingConsole console;
  FakeHost::write(host.places.sys + "/module/aoe/parameters/aoe_dyndevs", "1\n");
  EXPECT_EQ(make_devices(host.call("aoe-mkdevs", {"dir"}), console), 1);
  EXPECT_EQ(console.complaints,
            "aoe-mkdevs Error: aoe module is using dynamic devices.\n"
            "aoe-mkdevs: Please see the aoe-mkdevs manpage.\naoe-mkdevs: Exiting.\n");

  FakeHost udev;
  console.complaints.clear();
  FakeHost::write(udev.places.proc + "/17/cmdline", "/lib/systemd/systemd-udevd");
  EXPECT_EQ(make_shelf(udev.call("aoe-mkshelf", {"dir", "7"}), console), 1);
  EXPECT_EQ(console.complaints,
            "aoe-mkshelf Error: udev detected.  You shouldn't need to use aoe-mkshelf.\n"
            "aoe-mkshelf: Please see the aoe-mkshelf manpage.\naoe-mkshelf: Exiting.\n");
}

TEST(MakeNodes, WrongArgumentsGetTheUsage) {
  FakeHost host;
  RecordingConsole console;
  EXPECT_EQ(make_devices(host.call("aoe-mkdevs"), console), 1);
  EXPECT_EQ(console.complaints,
            "Usage: aoe-mkdevs {dir}\n       n_partitions=16 aoe-mkdevs {dir}\n");
  console.complaints.clear();
  EXPECT_EQ(make_shelf(host.call("aoe-mkshelf", {"dir", "x"}), console), 1);
  EXPECT_EQ(console.complaints, "aoe-mkshelf Error: \"x\" is not a shelf address (0 to 4095)\n");
}

}  // namespace
}  // namespace aoe::compat::aoetools
