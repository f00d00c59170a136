#include "tools/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::tools {
namespace {

using ::testing::HasSubstr;

TopSample sample(Instant taken, std::uint64_t reads, std::uint64_t frames) {
  TopSample result;
  result.taken = taken;
  result.list = Json::parse(R"({"devices":[{"address":"e7.1","state":"up"}]})");
  result.stats["devices"]["e7.1"] = {
      {"reads", reads},
      {"writes", 0},
      {"sectors_read", reads * 8},
      {"sectors_written", 0},
      {"requests_in_flight", 3},
      {"retransmissions", 0},
      {"errors_all", 0},
      {"latency", {{"recent", {{"p50_ns", 120'000}, {"p99_ns", 2'000'000}}}}},
      {"paths", Json::array({{{"interface", "eth1"},
                              {"mac", "02:00:00:00:0a:10"},
                              {"state", "live"},
                              {"frames_sent", frames},
                              {"retransmissions", 0},
                              {"window_frames", 16},
                              {"in_flight_frames", 2},
                              {"srtt_ns", 110'000},
                              {"rtt_p99_ns", 0},
                              {"payload_bytes", 8192}}})}};
  return result;
}

TEST(TopText, RatesAreWhatLiesBetweenTwoSamples) {
  const TopSample before = sample(Instant{1'000'000'000}, 100, 50);
  const TopSample now = sample(Instant{3'000'000'000}, 2100, 150);
  EXPECT_EQ(
      top_text(before, now),
      "DEVICE  STATE    READ/s  READS/s  WRITE/s  WRITES/s     P50   P99  QUEUE  RESENT/s  ERRORS\n"
      "e7.1    up     3.91 MiB     1000      0 B         0  120 us  2 ms      3         0       0\n"
      "\n"
      "DEVICE  INTERFACE  MAC                STATE  FRAMES/s  RESENT/s  WINDOW  FLIGHT     RTT  P99"
      "  PAYLOAD\n"
      "e7.1    eth1       02:00:00:00:0a:10  live         50         0      16       2  110 us    -"
      "     8192\n");
}

TEST(TopText, WithoutASampleBeforeThereAreNoRates) {
  const TopSample now = sample(Instant{3'000'000'000}, 2100, 150);
  EXPECT_THAT(top_text(std::nullopt, now), HasSubstr("e7.1    up          -        -"));
}

TEST(TopText, CountersThatBeganAnewHaveNoRate) {
  const TopSample before = sample(Instant{1'000'000'000}, 5000, 50);
  const TopSample now = sample(Instant{3'000'000'000}, 10, 60);
  EXPECT_THAT(top_text(before, now), HasSubstr("e7.1    up          -        -"));
}

TEST(TopText, WhatADaemonLeavesOutShowsAsMissing) {
  for (const char* list : {"{}", "[]", R"({"devices":5})", R"({"devices":[{}]})",
                           R"({"devices":[7,{"address":["e7.1"]}]})"}) {
    TopSample odd;
    odd.list = Json::parse(list);
    odd.stats = Json::parse(R"({"devices":[1,2]})");
    EXPECT_THAT(top_text(odd, odd), HasSubstr("DEVICE")) << list;
  }
}

}  // namespace
}  // namespace aoe::tools
