#include "compat/solaris/disk_names.h"

#include "compat/solaris/instances.h"
#include "compat/solaris/link_directory.h"
#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace aoe::compat::solaris {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

labels::Slice slice(const char* name, std::uint64_t start, std::uint64_t sectors) {
  labels::Slice slice;
  slice.name = name;
  slice.start = start;
  slice.sectors = sectors;
  return slice;
}

NamedDisk disk() {
  return {.instance = 107, .node = "/dev/loop0", .sectors = 1000, .parts = {}, .slices = {}};
}

TEST(DiskNames, EveryDiskHasItsNameAndSlicesThatAreAllOfIt) {
  NamedDisk one = disk();
  one.slices = {slice("s2", 0, 1000)};
  const NamePlan plan = plan_names({one});
  EXPECT_THAT(plan.links,
              ElementsAre(Pair("cad107", "/dev/loop0"), Pair("cad107s2", "/dev/loop0")));
  EXPECT_THAT(plan.missing, IsEmpty());
}

TEST(DiskNames, SlicesArePartitionsOfTheSamePlaceAndSizeWhateverTheirNumber) {
  NamedDisk one = disk();
  one.parts = {{"/dev/loop0p1", 100, 200, 1}, {"/dev/loop0p2", 300, 100, 2}};
  one.slices = {slice("s0", 300, 100), slice("s1", 100, 199), slice("p1", 100, 200)};
  one.slices.push_back(slice("s3", 300, 100));
  one.slices.back().is_usable = false;
  const NamePlan plan = plan_names({one});
  EXPECT_THAT(plan.links,
              ElementsAre(Pair("cad107", "/dev/loop0"), Pair("cad107p1", "/dev/loop0p1"),
                          Pair("cad107s0", "/dev/loop0p2")));
  ASSERT_EQ(plan.missing.size(), 1U);
  EXPECT_EQ(to_string(plan.missing[0]),
            "cad107s1: /dev/loop0 has no partition of 199 sectors at 100");
}

TEST(DiskNames, MissingPartitionsGetTheNumbersThatLinuxWouldGiveThemWhereTheyAreFree) {
  NamedDisk one = disk();
  one.parts = {{"/dev/loop0p2", 500, 10, 2}};
  one.slices = {slice("s0", 100, 10), slice("s1", 200, 10), slice("p1", 300, 10),
                slice("p3", 400, 10), slice("s2", 0, 900)};
  one.slices.back().covers_others = true;
  const NamePlan plan = plan_names({one});
  EXPECT_THAT(plan.missing, ElementsAre(MissingPart{"cad107s0", "/dev/loop0", 1, 100, 10, false},
                                        MissingPart{"cad107s1", "/dev/loop0", 32, 200, 10, false},
                                        MissingPart{"cad107p1", "/dev/loop0", 33, 300, 10, false},
                                        MissingPart{"cad107p3", "/dev/loop0", 3, 400, 10, false},
                                        MissingPart{"cad107s2", "/dev/loop0", 0, 0, 900, true}));
}

TEST(DiskNames, OtherNamesAreNotOurs) {
  for (const char* name : {"cad0", "cad107", "cad107s0", "cad107s15", "cad1p4"}) {
    EXPECT_TRUE(is_disk_name(name)) << name;
  }
  for (const char* name : {"", "cad", "cads0", "cad1s", "cad1x0", "cad1s0x", "c0t0d0s0", "xcad1"}) {
    EXPECT_FALSE(is_disk_name(name)) << name;
  }
}

TEST(Instances, EntriesOfTargetsThatAreThereCount) {
  const TargetAddress one{0, {Shelf{1}, Slot{7}}};
  const TargetAddress other{3, {Shelf{100}, Slot{7}}};
  const std::vector<DaemonTarget> targets{{one, true}, {other, true}};
  EXPECT_THAT(standard_instances(targets), ElementsAre(Pair(107, one)));
  AoedDevice entry;
  entry.instance = 5;
  entry.address = other;
  AoedDevice absent;
  absent.instance = 6;
  absent.address = {1, {Shelf{1}, Slot{7}}};
  EXPECT_THAT(instances_of(targets, {entry, absent}), ElementsAre(Pair(5, other)));
}

class LinkDirectoryTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return dir_.path("dev/dsk"); }

  [[nodiscard]] std::string at(const std::string& name) const { return path() + "/" + name; }

  ::testing::AssertionResult keeps(const std::map<std::string, std::string>& links) {
    const auto kept = keep_links(path(), links);
    return kept ? ::testing::AssertionSuccess()
                : ::testing::AssertionFailure() << kept.error().message;
  }

  aoe::testing::TempDir dir_;
};

TEST_F(LinkDirectoryTest, FollowsThePlanAndLeavesTheRestAlone) {
  ASSERT_TRUE(keeps({{"cad1", "/dev/loop0"}, {"cad2", "/dev/loop1"}}));
  EXPECT_EQ(fs::read_symlink(at("cad2")), "/dev/loop1");
  fs::create_symlink("/dev/sda", at("c0t0d0s0"));
  std::ofstream(at("cad9")) << "a file";
  ASSERT_TRUE(keeps({{"cad1", "/dev/loop7"}}));
  EXPECT_EQ(fs::read_symlink(at("cad1")), "/dev/loop7");
  EXPECT_FALSE(fs::is_symlink(at("cad2")));
  EXPECT_TRUE(fs::is_symlink(at("c0t0d0s0")));
  EXPECT_TRUE(fs::exists(at("cad9")));
  EXPECT_FALSE(keeps({{"cad9", "/dev/loop7"}}));
}

}  // namespace
}  // namespace aoe::compat::solaris
