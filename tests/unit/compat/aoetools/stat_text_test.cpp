#include "compat/aoetools/stat_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::aoetools {
namespace {

using testing::ElementsAre;

DeviceFiles device(const char* name, std::optional<std::uint64_t> sectors, const char* netif,
                   const char* payload, const char* state) {
  const auto text = [](const char* value) {
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  return {.name = name,
          .minor = {},
          .sectors = sectors,
          .netif = text(netif),
          .state = text(state),
          .payload = text(payload)};
}

TEST(StatText, SizesAreInMillionsOfBytesWithAPoint) {
  EXPECT_EQ(size_column(0), "0.000GB");
  EXPECT_EQ(size_column(131072), "0.067GB");  // cut, not rounded
  EXPECT_EQ(size_column(204800), "0.104GB");
  EXPECT_EQ(size_column(21474836480), "10995.116GB");
  EXPECT_EQ(size_column((std::uint64_t{1} << 48U) - 1), "144115188.075GB");
}

// The lines that aoetools 36 printed for such files.
TEST(StatText, LinesAreThoseOfTheScriptSortedAsTexts) {
  const std::vector<DeviceFiles> devices{
      device("e10.9", 21474836480, "eth1", "1024", "down,closewait"),
      device("e7.1", 204800, "aoet0,aoet1", "8704", "up"),
      device("e3.3", std::nullopt, nullptr, nullptr, nullptr),
      device("e1.0", 0, "eth0", "4096", "up,kickme")};
  EXPECT_THAT(stat_lines(devices),
              ElementsAre("      e1.0         0.000GB       eth0 4096  up,kickme     ",
                          "      e3.3            (NA)       (NA) (NA)                ",
                          "      e7.1         0.104GB aoet0,aoet1 8704  up            ",
                          "     e10.9     10995.116GB       eth1 1024  down,closewait"));
}

TEST(StatText, OldDriversHaveNoPayloadColumn) {
  EXPECT_THAT(stat_lines(std::vector{device("e7.1", 204800, "eth3", nullptr, "up")}),
              ElementsAre("      e7.1         0.104GB   eth3 up            "));
}

TEST(StatText, NoDeviceNoLine) {
  EXPECT_THAT(stat_lines({}), ElementsAre());
}

}  // namespace
}  // namespace aoe::compat::aoetools
