#include "compat/vblade/blade.h"

#include "unit/compat/recording_console.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::vblade {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class BladeTest : public ::testing::Test {
 protected:
  std::variant<Blade, int> parse(Dialect dialect, std::vector<std::string> arguments) {
    console.printed.clear();
    console.complaints.clear();
    return parse_blade(
        dialect,
        {.name = "vblade", .arguments = std::move(arguments), .called = "./vblade", .places = {}},
        console);
  }

  // The export that a good command line asks for, as aoe-targetd takes it.
  std::string spec(Dialect dialect, std::vector<std::string> arguments) {
    const auto parsed = parse(dialect, std::move(arguments));
    const Blade* blade = std::get_if<Blade>(&parsed);
    return blade == nullptr ? console.complaints : target_arguments(*blade, {}, "nai")[3];
  }

  RecordingConsole console;
};

TEST_F(BladeTest, TheShortestLineServesTheWholeFileToEverybody) {
  const auto parsed = parse(Dialect::vblade, {"11", "1", "eth0", "/data/3TB"});
  ASSERT_TRUE(std::holds_alternative<Blade>(parsed)) << console.complaints;
  EXPECT_THAT(
      target_arguments(std::get<Blade>(parsed), {}, "nai"),
      ElementsAre("-i", "eth0", "-e", "e11.1=file:/data/3TB,mode=write-through,serial=11.1:nai",
                  "--control", "/run/aoekit/vblade-e11.1-eth0.sock", "--state-dir",
                  "/var/lib/aoekit/vblade-e11.1-eth0"));
}

TEST_F(BladeTest, EveryOptionHasItsKey) {
  EXPECT_EQ(
      spec(Dialect::vblade, {"-b", "32", "-d", "-s", "-r", "-m", "0011223344AA,00:11:22:33:44:bb",
                             "-o", "0x10", "-l100", "7", "1", "eth0", "disk,1\\2"}),
      "e7.1=file:disk\\,1\\\\2,mode=read-only,direct=on,buffers=32,offset=16,length=100,"
      "allow=00:11:22:33:44:aa+00:11:22:33:44:bb,serial=7.1:nai");
}

TEST_F(BladeTest, AoedeTakesSeveralInterfacesAndAShadow) {
  const auto parsed = parse(
      Dialect::aoede, {"-b", "64", "1", "4", "eth0", "eth1", "/data/AOE.fs", "-f", "/data/shadow"});
  ASSERT_TRUE(std::holds_alternative<Blade>(parsed)) << console.complaints;
  const Blade& blade = std::get<Blade>(parsed);
  EXPECT_THAT(blade.interfaces, ElementsAre("eth0", "eth1"));
  EXPECT_THAT(target_arguments(blade, {}, "nai")[3], HasSubstr(",shadow=/data/shadow,"));
  EXPECT_EQ(std::get<int>(parse(Dialect::vblade, {"1", "4", "eth0", "eth1", "/data/AOE.fs"})), 1);
  EXPECT_EQ(std::get<int>(parse(Dialect::vblade, {"-f", "x", "1", "4", "eth0", "disk"})), 1);
}

TEST_F(BladeTest, BufferCountsBelowTwoAreTwo) {
  EXPECT_THAT(spec(Dialect::vblade, {"-b", "1", "7", "1", "eth0", "disk"}),
              HasSubstr(",buffers=2,"));
}

TEST_F(BladeTest, TheSerialNumberIsCutWhereVbladeCutsIt) {
  const auto parsed = parse(Dialect::vblade, {"7", "1", "eth0", "disk"});
  EXPECT_THAT(target_arguments(std::get<Blade>(parsed), {}, "a-host-with-a-long-name")[3],
              HasSubstr(",serial=7.1:a-host-with-a-l"));
}

TEST_F(BladeTest, WrongLinesGetTheUsageAndStatusOne) {
  for (const std::vector<std::string>& line :
       std::vector<std::vector<std::string>>{{},
                                             {"7", "1", "eth0"},
                                             {"7", "1", "eth0", "disk", "more"},
                                             {"-b", "0", "7", "1", "eth0", "disk"},
                                             {"-o", "-1", "7", "1", "eth0", "disk"},
                                             {"-o", "x", "7", "1", "eth0", "disk"},
                                             {"-l", "0", "7", "1", "eth0", "disk"}}) {
    EXPECT_EQ(std::get<int>(parse(Dialect::vblade, line)), 1);
    EXPECT_EQ(console.complaints,
              "usage: ./vblade [-b bufcnt] [-o offset] [-l length] [-d ] [-s] [-r] "
              "[ -m mac[,mac...] ] shelf slot netif filename\n");
  }
  EXPECT_EQ(std::get<int>(parse(Dialect::vblade, {"-x"})), 1);
  EXPECT_THAT(console.complaints, StartsWith("./vblade: invalid option -- 'x'\nusage:"));
  EXPECT_EQ(std::get<int>(parse(Dialect::vblade, {"65535", "1", "eth0", "disk"})), 1);
  EXPECT_THAT(console.complaints, HasSubstr("65535.1 is not an address"));
}

TEST_F(BladeTest, AMaskOfNoAddressesDoesNotOpenTheExport) {
  const auto some =
      parse(Dialect::vblade, {"-m", "nonsense,001122334455", "7", "1", "eth0", "disk"});
  EXPECT_EQ(console.complaints, "ignoring mask nonsense, parseether failure\n");
  EXPECT_EQ(std::get<Blade>(some).allowed.size(), 1U);
  EXPECT_EQ(std::get<int>(parse(Dialect::vblade, {"-m", "nonsense", "7", "1", "eth0", "disk"})), 1);
}

TEST_F(BladeTest, SizesAreCheckedInTheWordsOfVblade) {
  Blade blade;
  EXPECT_EQ(exported_sectors(blade, 100, console), 100U);
  EXPECT_EQ(exported_sectors(blade, 0, console), std::nullopt);
  EXPECT_EQ(console.complaints, "0-sector file size is too small\n");
  blade.offset_sectors = 90;
  EXPECT_EQ(exported_sectors(blade, 100, console), 10U);
  blade.length_sectors = 11;
  console.complaints.clear();
  EXPECT_EQ(exported_sectors(blade, 100, console), std::nullopt);
  EXPECT_EQ(console.complaints, "Length 11 too big - exceeds size of file!\n");
  console.complaints.clear();
  blade.offset_sectors = 100;
  EXPECT_EQ(exported_sectors(blade, 100, console), std::nullopt);
  EXPECT_EQ(console.complaints, "Offset 100 too large for 100-sector export\n");
}

}  // namespace
}  // namespace aoe::compat::vblade
