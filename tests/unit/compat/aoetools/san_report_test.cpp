#include "compat/aoetools/san_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::compat::aoetools {
namespace {

constexpr DeviceAddress kE70{Shelf{7}, Slot{0}};
constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};
constexpr MacAddress kMac{{0x3e, 0x03, 0xa5, 0x44, 0x43, 0xae}};
constexpr MacAddress kMac2{{0x3e, 0x03, 0xa5, 0x44, 0x43, 0xaf}};

constexpr const char* kHeads =
    "==========================================\nINTERFACE SUMMARY\n"
    "==========================================\nName\tStatus\tMTU\tPCI ID\n";
constexpr const char* kDevices =
    "==========================================\nDEVICE SUMMARY\n"
    "==========================================\nDevice\tMacs\tPayload\tLocal Interfaces\n";

// What aoe-sancheck printed of vblade at the end of such an interface.
TEST(SanReport, IsThatOfAoeSancheck) {
  const auto report = san_report(
      {{.name = "aoet0",
        .up = true,
        .mtu_bytes = 4000,
        .pci_id = "",
        .paths = {{.address = kE70, .mac = kMac, .sectors_offered = 17, .sectors_passed = 7}}}});
  EXPECT_EQ(report.text,
            std::string(kHeads) + "aoet0\tUP\t4000\t\n" + kDevices +
                "e7.0\t   1\t8704\taoet0\n"
                "   aoet0: MTU (4000) not set optimally for device's capable payload\n");
  EXPECT_EQ(report.devices, 1U);
  EXPECT_EQ(report.advices, 1U);
}

TEST(SanReport, AdvisesOnPathsAndInterfacesThatDiffer) {
  const SanPath good{.address = kE71, .mac = kMac, .sectors_offered = 2, .sectors_passed = 17};
  const SanPath small{.address = kE71, .mac = kMac, .sectors_offered = 2, .sectors_passed = 2};
  const SanPath more{.address = kE71, .mac = kMac2, .sectors_offered = 2, .sectors_passed = 2};
  const auto report = san_report(
      {{.name = "eth2", .up = true, .mtu_bytes = 9000, .pci_id = "8086:10d3", .paths = {good}},
       {.name = "eth1", .up = true, .mtu_bytes = 4096, .pci_id = "", .paths = {small, more}},
       {.name = "eth3", .up = false, .mtu_bytes = 1500, .pci_id = ""},
       {.name = "eth4", .up = true, .mtu_bytes = 1500, .pci_id = "", .paths = {}}});
  EXPECT_EQ(
      report.text,
      std::string(kHeads) +
          "eth1\tUP\t4096\t\neth2\tUP\t9000\t8086:10d3\neth3\tDN\t1500\t\neth4\tUP\t1500\t\n" +
          kDevices +
          "e7.1\t   2\t1024\teth1,eth2\n"
          "   The path eth1->3e03a54443af is only capable of 1024 byte payloads\n"
          "   The path eth1->3e03a54443ae is only capable of 1024 byte payloads\n"
          "   eth1: MTU different from other interfaces (4096 vs. 9000)\n");
  EXPECT_EQ(report.advices, 3U);
}

TEST(SanReport, SaysWhenCountsDisagree) {
  const auto report = san_report(
      {{.name = "eth1",
        .up = true,
        .mtu_bytes = 1500,
        .pci_id = "",
        .paths = {{.address = kE71, .mac = kMac, .sectors_offered = 2, .sectors_passed = 2},
                  {.address = kE71, .mac = kMac2, .sectors_offered = 2, .sectors_passed = 2}}}});
  EXPECT_THAT(report.text,
              testing::EndsWith("e7.1\t   2\t1024\teth1\n"
                                "   Mismatched number of local vs remote interfaces\n"));
}

TEST(SanReport, ThePathListHasTheLastAddressFirst) {
  EXPECT_EQ(path_list({{.name = "eth1",
                        .up = true,
                        .mtu_bytes = 9000,
                        .pci_id = "",
                        .paths = {{.address = kE70, .mac = kMac, .sectors_passed = 17},
                                  {.address = kE71, .mac = kMac, .sectors_passed = 2}}}}),
            "eth1:\ne7.1 3e03a54443ae 2\ne7.0 3e03a54443ae 17\n\n");
}

TEST(SanReport, CountsSectorsAsTheDriverDoes) {
  EXPECT_EQ(sectors_tried(1500), 2U);
  EXPECT_EQ(sectors_tried(9000), 17U);
  EXPECT_EQ(sectors_tried(20), 0U);
}

}  // namespace
}  // namespace aoe::compat::aoetools
