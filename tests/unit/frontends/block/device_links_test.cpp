#include "frontends/block/device_links.h"

#include "support/temp_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace aoe::block {
namespace {

namespace fs = std::filesystem;

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};
constexpr DeviceAddress kE710{Shelf{7}, Slot{10}};

TEST(DeviceLinks, AreMadeReplacedAndRemoved) {
  const aoe::testing::TempDir directory;
  const std::string links = directory.path("etherd");
  ASSERT_TRUE(make_links(links, kE71, "/dev/nowhere0"));
  ASSERT_TRUE(make_links(links, kE710, "/dev/nowhere1"));
  EXPECT_THAT(read_links(links), ::testing::UnorderedElementsAre(Pair(kE71, "/dev/nowhere0"),
                                                                 Pair(kE710, "/dev/nowhere1")));
  ASSERT_TRUE(make_links(links, kE71, "/dev/nowhere2"));
  EXPECT_EQ(fs::read_symlink(links + "/e7.1"), "/dev/nowhere2");
  remove_links(links, kE71);
  // e7.10 begins with the same letters.
  EXPECT_THAT(read_links(links), ElementsAre(Pair(kE710, "/dev/nowhere1")));
}

TEST(DeviceLinks, OfPartitionsThatAreGoneAreRemoved) {
  const aoe::testing::TempDir directory;
  const std::string links = directory.path("etherd");
  fs::create_directory(links);
  fs::create_symlink("/dev/nowhere0p1", links + "/e7.1p1");
  fs::create_symlink("/dev/nowhere0p1", links + "/e7.1px");
  ASSERT_TRUE(make_links(links, kE71, "/dev/nowhere0"));
  EXPECT_FALSE(fs::is_symlink(links + "/e7.1p1"));
  EXPECT_TRUE(fs::is_symlink(links + "/e7.1px"));
}

TEST(DeviceLinks, LeaveAloneWhatIsNoLink) {
  const aoe::testing::TempDir directory;
  const std::string links = directory.path("etherd");
  fs::create_directory(links);
  fs::create_directory(links + "/e7.1");
  const auto made = make_links(links, kE71, "/dev/nowhere0");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::already_exists);
  remove_links(links, kE71);
  EXPECT_TRUE(fs::is_directory(links + "/e7.1"));
  EXPECT_THAT(read_links(links), IsEmpty());
}

TEST(DeviceLinks, AreNoneWhereThereIsNoDirectory) {
  EXPECT_THAT(read_links("/nowhere/etherd"), IsEmpty());
  remove_links("/nowhere/etherd", kE71);
}

}  // namespace
}  // namespace aoe::block
