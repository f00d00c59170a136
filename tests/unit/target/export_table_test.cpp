#include "target/export_table.h"

#include <gtest/gtest.h>

namespace aoe::target {
namespace {

constexpr DeviceAddress address(std::uint16_t shelf, std::uint8_t slot) {
  return {Shelf{shelf}, Slot{slot}};
}

ExportSettings settings(DeviceAddress where) {
  ExportSettings settings;
  settings.address = where;
  settings.sector_count = 8;
  return settings;
}

TEST(ExportTable, FindsByAddressAndById) {
  ExportTable table(4);
  const auto added = table.add(settings(address(7, 1)));
  ASSERT_TRUE(added);
  EXPECT_EQ(table.find(address(7, 1)), *added);
  EXPECT_EQ(table.find((*added)->id), *added);
  EXPECT_EQ(table.find(address(7, 2)), nullptr);
  EXPECT_EQ(table.find(ExportId{0}), nullptr);
  EXPECT_EQ(table.find(ExportId{0xFFFFFFFF}), nullptr);
}

TEST(ExportTable, KeepsTheOrderOfAddresses) {
  ExportTable table(8);
  for (const DeviceAddress where :
       {address(9, 0), address(7, 3), address(7, 1), address(65534, 254), address(0, 0)}) {
    ASSERT_TRUE(table.add(settings(where)));
  }
  for (std::size_t i = 1; i < table.all().size(); ++i) {
    EXPECT_LT(table.all()[i - 1]->settings.address, table.all()[i]->settings.address);
  }
}

TEST(ExportTable, FindsEveryOneOfManyAlsoAfterOthersHaveGone) {
  constexpr std::uint32_t kCount = 4096;
  ExportTable table(kCount);
  const auto nth = [](std::uint32_t i) {
    return address(static_cast<std::uint16_t>(7 + i / 16), static_cast<std::uint8_t>(i % 16));
  };
  for (std::uint32_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(table.add(settings(nth(i))));
  }
  for (std::uint32_t i = 0; i < kCount; i += 3) {
    table.remove(*table.find(nth(i)));
  }
  for (std::uint32_t i = 0; i < kCount; ++i) {
    const Export* found = table.find(nth(i));
    ASSERT_EQ(found == nullptr, i % 3 == 0) << i;
    ASSERT_TRUE(found == nullptr || found->settings.address == nth(i)) << i;
  }
}

TEST(ExportTable, TakenAddressAndFullTableAreRefused) {
  ExportTable table(2);
  ASSERT_TRUE(table.add(settings(address(7, 1))));
  const auto twice = table.add(settings(address(7, 1)));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Errc::already_exists);
  ASSERT_TRUE(table.add(settings(address(7, 2))));
  const auto full = table.add(settings(address(7, 3)));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::no_space);
}

TEST(ExportTable, IdOfARemovedExportStaysStale) {
  ExportTable table(1);
  const ExportId first = (*table.add(settings(address(7, 1))))->id;
  table.remove(*table.find(first));
  EXPECT_EQ(table.find(first), nullptr);
  const ExportId second = (*table.add(settings(address(7, 1))))->id;
  EXPECT_NE(first, second);
  EXPECT_EQ(table.find(first), nullptr);
  EXPECT_NE(table.find(second), nullptr);
}

TEST(ExportTable, PlaceOfARemovedExportStartsClean) {
  ExportTable table(1);
  Export* first = *table.add(settings(address(7, 1)));
  first->health = ExportHealth::failed;
  first->persistent.mask.push_back(MacAddress::broadcast());
  table.remove(*first);
  const Export* second = *table.add(settings(address(7, 2)));
  EXPECT_EQ(second->health, ExportHealth::ok);
  EXPECT_TRUE(second->persistent.mask.empty());
  EXPECT_EQ(table.all().size(), 1U);
}

}  // namespace
}  // namespace aoe::target
