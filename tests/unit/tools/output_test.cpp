#include "tools/output.h"

#include "tools/daemon_view.h"
#include "tools/exit_status.h"
#include "tools/progress.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace aoe::tools {
namespace {

TEST(Table, AlignsColumnsAndLeavesWideOnesOut) {
  Table table({{"DEVICE"}, {"SIZE", Align::right}, {"MORE", Align::left, true}, {"STORE"}});
  table.add_row({"e7.1", "5", "m", "/a"});
  table.add_row({"e10.11", "1024", "", ""});
  EXPECT_EQ(table.layout(OutputFormat::text),
            "DEVICE  SIZE  STORE\n"
            "e7.1       5  /a\n"
            "e10.11  1024  -\n");
  EXPECT_EQ(table.layout(OutputFormat::wide),
            "DEVICE  SIZE  MORE  STORE\n"
            "e7.1       5  m     /a\n"
            "e10.11  1024  -     -\n");
}

TEST(FieldList, PutsValuesInOneColumn) {
  FieldList fields;
  fields.add("size", "5");
  fields.add("serial", "");
  EXPECT_EQ(fields.layout(), "size:    5\nserial:  -\n");
  EXPECT_EQ(FieldList{}.layout(), "");
}

TEST(JsonDocument, CarriesItsVersionAndSurvivesBytesThatAreNoText) {
  const Json document = Json::parse(json_document({{"config", "\xff"}}));
  EXPECT_EQ(document["version"], 1);
  EXPECT_EQ(document["config"], "\xEF\xBF\xBD");
}

TEST(PlainText, ReadsLikeAValueAndNotLikeJson) {
  EXPECT_EQ(plain_text("a"), "a");
  EXPECT_EQ(plain_text(true), "yes");
  EXPECT_EQ(plain_text(Json::array({"eth1", "eth2"})), "eth1,eth2");
  EXPECT_EQ(plain_text(nullptr), "");
  EXPECT_EQ(plain_text(12), "12");
  EXPECT_EQ(words_of("size_sectors"), "size sectors");
}

TEST(HexDump, ShowsOffsetBytesAndText) {
  EXPECT_EQ(hex_dump("0123456789abcdefg\x01"),
            "0000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
            "0010  67 01                                            g.\n");
}

TEST(ExitStatusOf, IsTheContract) {
  EXPECT_EQ(static_cast<int>(exit_status_of(Errc::io)), 1);
  EXPECT_EQ(static_cast<int>(exit_status_of(Errc::unavailable)), 1);
  EXPECT_EQ(static_cast<int>(exit_status_of(Errc::corrupt)), 1);
  EXPECT_EQ(static_cast<int>(exit_status_of(Errc::invalid_argument)), 2);
  EXPECT_EQ(static_cast<int>(exit_status_of(Errc::timed_out)), 3);
  EXPECT_EQ(static_cast<int>(exit_status_of(Errc::not_found)), 4);
}

TEST(ProgressText, ShowsShareRateAndTimeLeft) {
  EXPECT_EQ(progress_text({256 << 20U, std::uint64_t{1} << 30U, Duration::seconds(2)}, 100),
            "[=====>              ]  25%  256 MiB of 1 GiB  128 MiB/s  6 s left");
  EXPECT_EQ(progress_text({1 << 20U, 1 << 20U, Duration::seconds(1)}, 100),
            "[====================] 100%  1 MiB of 1 MiB  1 MiB/s");
  EXPECT_EQ(progress_text({0, 0, {}}, 100), "[====================] 100%  0 B of 0 B  -");
}

TEST(ProgressText, FitsTheTerminalAndNeedsNoTotal) {
  const ProgressState state{256 << 20U, std::uint64_t{1} << 30U, Duration::seconds(2)};
  for (std::size_t columns = 20; columns < 100; ++columns) {
    EXPECT_LE(progress_text(state, columns).size(), columns);
  }
  EXPECT_EQ(progress_text({3 << 20U, std::nullopt, Duration::seconds(3)}, 80), "3 MiB  1 MiB/s");
}

constexpr std::array kFields{
    ListField{"address", "DEVICE"},
    ListField{"state", "STATE"},
    ListField{"size_sectors", "SIZE", Align::right},
    ListField{"interfaces", "INTERFACES"},
    ListField{"clients", "CLIENTS", Align::right},
    ListField{"rtt_ns", "RTT", Align::right},
    ListField{"buffers", "BUFFERS", Align::right, true},
    ListField{"store", "STORE"},
};

TEST(ListText, ShowsKnownFieldsAndKeepsNewOnesForTheWideForm) {
  Json one = {{"address", "e7.1"}, {"state", "online"},         {"size_sectors", 20480},
              {"buffers", 64},     {"store", "/srv/a\x1b.img"}, {"brand_new", 1},
              {"rtt_ns", 1500}};
  one["interfaces"] = Json::array({"eth1", "eth2"});
  one["clients"] = Json::array({1, 2, 3});
  const Json rows = Json::array({one});
  EXPECT_EQ(list_text(rows, kFields, OutputFormat::text),
            "DEVICE  STATE     SIZE  INTERFACES  CLIENTS      RTT  STORE\n"
            "e7.1    online  10 MiB  eth1,eth2         3  1.50 us  /srv/a\\x1b.img\n");
  EXPECT_NE(list_text(rows, kFields, OutputFormat::wide).find("BRAND NEW"), std::string::npos);
  EXPECT_EQ(list_text(Json::array({{{"address", "e7.1"}}}), kFields, OutputFormat::text),
            "DEVICE\ne7.1\n");
  EXPECT_EQ(list_text(Json::array(), kFields, OutputFormat::text), "");
  EXPECT_EQ(list_text(Json::object(), kFields, OutputFormat::text), "");
}

TEST(FieldsText, ShowsScalarsThenTablesThenSections) {
  const Json result = Json::parse(R"({
    "address": "e7.1", "cache_bytes": 4096, "last_ns": 1500,
    "paths": [{"address": "02:00", "frames": 3}],
    "totals": {"e7.1": {"reads": 1}, "e7.2": {"reads": 2}}})");
  EXPECT_EQ(fields_text(result),
            "address:      e7.1\n"
            "cache bytes:  4096 (4 KiB)\n"
            "last ns:      1.50 us\n"
            "\npaths:\n"
            "ADDRESS  FRAMES\n"
            "02:00         3\n"
            "\ntotals e7.1:\n"
            "reads:  1\n"
            "\ntotals e7.2:\n"
            "reads:  2\n");
  EXPECT_EQ(fields_text(Json::object()), "");
  EXPECT_EQ(fields_text("done"), "done\n");
}

TEST(FieldsText, TakesAnythingADaemonMaySay) {
  for (const char* text :
       {"[]", "[1,2]", "[{},{}]", "{\"a\":{}}", "{\"a\":[{\"b\":[{}]}]}", "{\"size_sectors\":-1}",
        "{\"size_sectors\":\"x\"}", "null", "1.5", "{\"x_ns\":1e300}",
        "{\"x_ns\":18446744073709551615}", "[{\"size_sectors\":18446744073709551615}]"}) {
    (void)fields_text(Json::parse(text));
    (void)list_text(Json::parse(text), kFields, OutputFormat::wide);
  }
}

}  // namespace
}  // namespace aoe::tools
