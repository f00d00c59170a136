#include "target/access_list.h"

#include "support/frame_builder.h"

#include <gtest/gtest.h>

namespace aoe::target {
namespace {

using protocol::MaskDirective;
using protocol::MaskError;
using test::kInitiatorA;
using test::kInitiatorB;
using test::kInitiatorC;
using MacList = std::vector<MacAddress>;

constexpr std::uint8_t kSkip = 0;
constexpr std::uint8_t kAdd = 1;
constexpr std::uint8_t kRemove = 2;

MaskEdit edit(const std::vector<MaskDirective>& directives, std::size_t entries_max,
              MacList& mask) {
  const test::Bytes frame = test::FrameBuilder::mask_edit(directives);
  const auto request = protocol::parse_mask(frame);
  EXPECT_TRUE(request);
  return edit_mask(*request, entries_max, mask);
}

TEST(AccessList, EverybodyMayUseAnExportWithoutLists) {
  EXPECT_TRUE(may_use({}, {}, kInitiatorA));
}

TEST(AccessList, ConfiguredListAndMaskBothHaveToAgree) {
  ExportSettings settings;
  settings.allow_policy = AllowPolicy::listed;
  settings.allow = {kInitiatorA, kInitiatorB};
  EXPECT_TRUE(may_use(settings, {}, kInitiatorA));
  EXPECT_FALSE(may_use(settings, {}, kInitiatorC));
  const MacList mask{kInitiatorB, kInitiatorC};
  EXPECT_FALSE(may_use(settings, mask, kInitiatorA)) << "not on the mask";
  EXPECT_TRUE(may_use(settings, mask, kInitiatorB));
  EXPECT_FALSE(may_use(settings, mask, kInitiatorC)) << "not allowed";
}

TEST(AccessList, EmptyConfiguredListLetsNobodyIn) {
  ExportSettings settings;
  settings.allow_policy = AllowPolicy::listed;
  EXPECT_FALSE(may_use(settings, {}, kInitiatorA));
}

TEST(AccessList, OnlyListedAdministratorsPassTheLists) {
  ExportSettings settings;
  settings.allow_policy = AllowPolicy::listed;
  settings.admins = {kInitiatorA};
  const MacList mask{kInitiatorB};
  EXPECT_FALSE(may_use(settings, mask, kInitiatorA)) << "the list means nothing in this mode";
  settings.remote_admin = RemoteAdmin::none;
  EXPECT_FALSE(may_use(settings, mask, kInitiatorA));
  settings.remote_admin = RemoteAdmin::listed;
  EXPECT_TRUE(may_use(settings, mask, kInitiatorA));
  EXPECT_FALSE(may_use(settings, mask, kInitiatorB)) << "masked in, but not allowed";
}

TEST(AccessList, AdministrationFollowsItsMode) {
  ExportSettings settings;
  settings.admins = {kInitiatorA};
  EXPECT_TRUE(may_administrate(settings, kInitiatorB));
  settings.remote_admin = RemoteAdmin::none;
  EXPECT_FALSE(may_administrate(settings, kInitiatorA));
  settings.remote_admin = RemoteAdmin::listed;
  EXPECT_TRUE(may_administrate(settings, kInitiatorA));
  EXPECT_FALSE(may_administrate(settings, kInitiatorB));
}

TEST(AccessList, EditStopsAtTheEndOfTheRoom) {
  MacList mask{kInitiatorA};
  const MaskEdit full =
      edit({{kAdd, kInitiatorB}, {kAdd, kInitiatorA}, {kAdd, kInitiatorC}}, 2, mask);
  EXPECT_EQ(full.error, MaskError::list_full);
  EXPECT_EQ(full.failed_index, 2) << "adding what is there needs no room";
  EXPECT_EQ(mask, (MacList{kInitiatorA, kInitiatorB}));
  const MaskEdit exchanged = edit({{kRemove, kInitiatorA}, {kAdd, kInitiatorC}}, 2, mask);
  EXPECT_EQ(exchanged.error, MaskError::none);
  EXPECT_EQ(mask, (MacList{kInitiatorB, kInitiatorC}));
}

TEST(AccessList, EditOf255DirectivesIsApplied) {
  std::vector<MaskDirective> directives(255, {kSkip, kInitiatorA});
  directives.back() = {kAdd, kInitiatorB};
  MacList mask;
  EXPECT_EQ(edit(directives, 255, mask).error, MaskError::none);
  EXPECT_EQ(mask, MacList{kInitiatorB});
  directives.back() = {7, kInitiatorB};
  EXPECT_EQ(edit(directives, 255, mask).failed_index, 254);
}

TEST(AccessList, ListsAreBoundedByTheFrameOfTheirAnswer) {
  EXPECT_EQ(mask_entries_max(1500), 185U);
  EXPECT_EQ(mask_entries_max(9000), 255U);
  EXPECT_EQ(mask_entries_max(13), 0U);
  EXPECT_EQ(mask_entries_max(0), 0U);
  EXPECT_EQ(reservation_entries_max(1500), 248U);
  EXPECT_EQ(reservation_entries_max(9000), 255U);
  EXPECT_EQ(reservation_entries_max(0), 0U);
}

}  // namespace
}  // namespace aoe::target
