#include "compat/solaris/aoed_conf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::solaris {
namespace {

constexpr const char* kEntry =
    "name=\"aoed\" parent=\"pseudo\" instance=107 aoechan=0 aoemaj=1 aoemin=7;\n";

// The text of the only problem, with its line.
std::string problem_of(std::string_view text) {
  const AoedConf conf = parse_aoed_conf(text);
  if (conf.problems.size() != 1) {
    return problems_text("all", conf.problems);
  }
  const std::string line = problems_text("f", conf.problems);
  return line.substr(2, line.size() - 3);
}

// `text` several times.
std::string times(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    all.append(text);
  }
  return all;
}

TEST(AoedConf, ReadsWhatAoemkconfPrints) {
  const TargetAddress address{0, {Shelf{1}, Slot{7}}};
  EXPECT_EQ(aoed_entry(107, address), kEntry);
  const AoedConf conf = parse_aoed_conf(kEntry);
  EXPECT_TRUE(conf.problems.empty());
  ASSERT_EQ(conf.devices.size(), 1U);
  EXPECT_EQ(conf.devices[0].instance, 107U);
  EXPECT_EQ(conf.devices[0].address, address);
  EXPECT_EQ(conf.devices[0].timeout_ms, std::nullopt);
}

TEST(AoedConf, ReadsSettingsCommentsAndEntriesOverLines) {
  const AoedConf conf = parse_aoed_conf(
      "# disks; more disks\n\n"
      "name=\"aoed\" parent=\"pseudo\"  # first\n"
      "  instance = 5 aoechan=0 aoemaj=0 aoemin=5\n"
      "  timeout=500 hd=255 sec=63 maxdata=4096 maxbuf=8;;\n"
      "name=\"aoed\" parent=\"pseudo\" instance=6 aoechan=9 aoemaj=65534 aoemin=254 hd=4;");
  EXPECT_TRUE(conf.problems.empty()) << conf.problems[0].text;
  ASSERT_EQ(conf.devices.size(), 2U);
  const AoedDevice& first = conf.devices[0];
  EXPECT_EQ(first.line, 3U);
  EXPECT_EQ(first.timeout_ms, 500U);
  EXPECT_EQ(first.heads, 255U);
  EXPECT_EQ(first.sectors_per_track, 63U);
  EXPECT_EQ(first.data_bytes_max, 4096U);
  EXPECT_EQ(first.commands_max, 8U);
  EXPECT_EQ(conf.devices[1].heads, std::nullopt) << "hd without sec is ignored";
}

TEST(AoedConf, WhatIsWrongIsNamedWithItsLine) {
  const std::string good = kEntry;
  const auto with = [&](const char* what, const char* instead) {
    std::string text = good;
    text.replace(text.find(what), std::string_view(what).size(), instead);
    return problem_of(text);
  };
  EXPECT_EQ(with("\"aoed\"", "aoed"), "1: expected name=\"aoed\"");
  EXPECT_EQ(with("\"pseudo\"", "\"pci\""), "1: expected parent=\"pseudo\"");
  EXPECT_EQ(with("instance=107 ", ""), "1: instance is missing");
  EXPECT_EQ(with("aoechan=0", "aoechan=10"), "1: aoechan=10: expected a number from 0 to 9");
  EXPECT_EQ(with("aoemaj=1", "aoemaj=\"1\""), "1: aoemaj=1: expected a number from 0 to 65534");
  EXPECT_EQ(with("107", "330382100"),
            "1: instance=330382100: expected a number from 0 to 330382099");
  EXPECT_EQ(with(";", " tmeout=3;"), "1: tmeout: no such property");
  EXPECT_EQ(with(";", " aoemin=8;"), "1: aoemin: stands twice in one entry");
  EXPECT_EQ(problem_of("name=\"aoed;\n"), "1: name: the closing quote is missing");
  EXPECT_EQ(with("=7;", ";"), "1: aoemin: expected name=value");
  EXPECT_EQ(with("=7;", "=;"), "1: aoemin: its value is missing");
  EXPECT_EQ(problem_of(times("\n", 3).append("\"x\";")),
            "4: '\"': expected name=value or a semicolon");
}

TEST(AoedConf, AMissingSemicolonDoesNotSwallowTheNextEntry) {
  std::string text = kEntry;
  text.erase(text.find(';'), 1);
  EXPECT_EQ(problem_of(text), "1: the semicolon at the end of this entry is missing");
  // With an entry behind it, the second name shows the mistake.
  text.append(kEntry);
  EXPECT_EQ(problem_of(text), "2: name: stands twice in one entry");
}

TEST(AoedConf, AnInstanceStandsOnce) {
  EXPECT_EQ(problem_of(times(kEntry, 2)), "2: instance=107 stands in line 1 already");
}

}  // namespace
}  // namespace aoe::compat::solaris
