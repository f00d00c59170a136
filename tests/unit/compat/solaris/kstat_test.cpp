#include "compat/solaris/device_counters.h"
#include "compat/solaris/kstat_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::solaris {
namespace {

using control::Json;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(Kstat, ATableHasItsHeadAndSortedValues) {
  KstatTable table;
  table.instance = 5;
  table.name = "conf";
  table.values = {{"timeout", "200"}, {"maxbuf", "3"}};
  table.crtime = Duration{83'211'229'535};
  table.snaptime = Duration::seconds(215'076);
  EXPECT_EQ(kstat_text(table),
            "module: aoed                            instance: 5     \n"
            "name:   aoed5,conf                      class:    misc            \n"
            "\tcrtime                          83.211229535\n"
            "\tmaxbuf                          3\n"
            "\tsnaptime                        215076.000000000\n"
            "\ttimeout                         200\n"
            "\n");
}

TEST(Kstat, CountersAreSummedOverPathsOrTakenFromTheDevice) {
  const Json path{{"frames_sent", 10},      {"frames_answered", 9},   {"retransmissions", 1},
                  {"answers_aoe_error", 2}, {"answers_ata_error", 3}, {"answers_truncated", 4},
                  {"answers_corrected", 5}};
  const Json stats{{"paths", {path, path}}, {"errors", {{"timed_out", 7}, {"no_path", 8}}}};
  EXPECT_THAT(
      stats_values(stats),
      UnorderedElementsAre(Pair("atasnd", "20"), Pair("atarcv", "18"), Pair("retries", "2"),
                           Pair("erraoe", "4"), Pair("errata", "6"), Pair("errtrunc", "8"),
                           Pair("softerr", "10"), Pair("errtimeout", "7"), Pair("errwmsg", "8")));
}

TEST(Kstat, WhatTheDaemonDoesNotSayIsZero) {
  for (const auto& [name, value] : stats_values(Json{{"paths", "none"}})) {
    EXPECT_EQ(value, "0") << name;
  }
}

TEST(Kstat, SettingsAreInTheUnitsOfTheOriginal) {
  const Json show{{"size_sectors", 0x200000},
                  {"payload_bytes", 1024},
                  {"paths",
                   {{{"window_frames", 3}, {"rto_ns", 50'000'001}},
                    {{"window_frames", 4}, {"rto_ns", 200'000}}}}};
  EXPECT_THAT(
      conf_values(show, nullptr),
      UnorderedElementsAre(Pair("cylsize", "2048"), Pair("maxbuf", "7"), Pair("maxdata", "1024"),
                           Pair("mibsize", "1024"), Pair("timeout", "51")));
  AoedDevice entry;
  entry.timeout_ms = 700;
  entry.heads = 16;
  entry.sectors_per_track = 63;
  EXPECT_THAT(
      conf_values(show, &entry),
      UnorderedElementsAre(Pair("cylsize", "1008"), Pair("maxbuf", "7"), Pair("maxdata", "1024"),
                           Pair("mibsize", "1024"), Pair("timeout", "700")));
}

}  // namespace
}  // namespace aoe::compat::solaris
