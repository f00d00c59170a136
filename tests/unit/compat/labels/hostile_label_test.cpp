// Labels that lie: what they say is reported and not used, and nothing outside of the disk is
// touched.
#include "compat/labels/crc32.h"
#include "compat/labels/label_plan.h"
#include "compat/labels/label_reader.h"
#include "unit/compat/labels/memory_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::labels {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing_support::MemoryDisk;

constexpr std::uint64_t kGib = 0x200000;

LabelReport report_of(const Vtoc& vtoc) {
  MemoryDisk disk(kGib);
  disk.content[0] = encode_vtoc(vtoc);
  auto report = read_label(disk);
  EXPECT_TRUE(report.has_value()) << report.error().message;
  EXPECT_TRUE(erase_label(disk).has_value());
  return *std::move(report);
}

const Slice& slice_of(const LabelReport& report, const std::string& name) {
  for (const Slice& slice : report.slices) {
    if (slice.name == name) {
      return slice;
    }
  }
  ADD_FAILURE() << "no slice " << name;
  return report.slices.front();
}

TEST(HostileLabel, WrongChecksumOrCountsAreNotBelieved) {
  const Vtoc vtoc = make_up_vtoc(VtocForm::sparc, {64, 32}, kGib);
  Sector sector = encode_vtoc(vtoc);
  sector[300] = std::byte{1};
  EXPECT_THAT(decode_vtoc(sector, VtocForm::sparc).error().message, HasSubstr("checksum"));
  sector = encode_vtoc(vtoc);
  // Two words that change together keep the checksum right.
  sector[141] = std::byte{9};
  sector[191 + 8] = std::byte{8 ^ 9};
  EXPECT_THAT(decode_vtoc(sector, VtocForm::sparc).error().message, HasSubstr("9 slices"));
  Vtoc flat = vtoc;
  flat.geometry.heads = 0;
  flat.slices.clear();
  EXPECT_FALSE(decode_vtoc(encode_vtoc(flat), VtocForm::x86).has_value());
}

TEST(HostileLabel, VtocSlicesPastTheEndAreNotUsable) {
  Vtoc vtoc = make_up_vtoc(VtocForm::sparc, {64, 32}, kGib);
  vtoc.slices[3] = {kTagUsr, 0, kGib - 2048, 0xFFFFFFFF};
  const LabelReport report = report_of(vtoc);
  EXPECT_FALSE(slice_of(report, "s3").is_usable);
  EXPECT_THAT(report.problems, Contains(HasSubstr("s3: sectors")));
  EXPECT_TRUE(slice_of(report, "s0").is_usable);
}

TEST(HostileLabel, OverlappingSlicesAreNotUsableButTheWholeDiskIs) {
  Vtoc vtoc = make_up_vtoc(VtocForm::sparc, {64, 32}, kGib);
  vtoc.slices[0].sectors = 4096;
  vtoc.slices[1] = {kTagUsr, 0, 2048, 2048};
  vtoc.slices[4] = {kTagUsr, 0, 4096, 2048};
  const LabelReport report = report_of(vtoc);
  EXPECT_FALSE(slice_of(report, "s0").is_usable);
  EXPECT_FALSE(slice_of(report, "s1").is_usable);
  EXPECT_TRUE(slice_of(report, "s2").is_usable);
  EXPECT_TRUE(slice_of(report, "s4").is_usable);
  EXPECT_THAT(report.problems, Contains("s1: overlaps s0"));
}

TEST(HostileLabel, CylindersPastTheEndHaveNoBackupsThere) {
  const Vtoc vtoc = make_up_vtoc(VtocForm::sparc, {255, 189}, kVtocSectorsMax);
  EXPECT_THAT(report_of(vtoc).problems, Contains(HasSubstr("cylinders pass the end")));
}

class HostileGpt : public testing::Test {
 protected:
  void SetUp() override {
    LabelWish wish;
    wish.kind = LabelKind::efi;
    wish.disk_guid = make_random_guid(1, 2);
    ASSERT_TRUE(init_label(disk, wish, Replace::no));
    header = decode_gpt_header(disk.content[1], 1, kGib).value();
  }

  // What a reader says when both headers are this one, each at its place, with right checksums.
  LabelReport report() {
    disk.content[1] = encode_gpt_header(header);
    GptHeader other = header;
    other.my_lba = kGib - 1;
    disk.content[kGib - 1] = encode_gpt_header(other);
    auto read = read_label(disk);
    EXPECT_TRUE(read.has_value()) << read.error().message;
    EXPECT_TRUE(erase_label(disk).has_value());
    return *std::move(read);
  }

  void expect_not_believed(const char* why) {
    const LabelReport found = report();
    EXPECT_EQ(found.scheme, Scheme::efi);
    EXPECT_TRUE(found.slices.empty());
    EXPECT_THAT(found.problems, Contains(HasSubstr(why)));
  }

  MemoryDisk disk{kGib};
  GptHeader header;
};

TEST_F(HostileGpt, EntriesOutsideTheDiskAreNotRead) {
  header.entries_lba = ~0ULL - 3;
  expect_not_believed("entries at sector 18446744073709551612");
}

TEST_F(HostileGpt, EntriesThatBeginOnTheDiskAndPassItsEndAreNotRead) {
  header.entries_lba = kGib - 5;
  expect_not_believed("entries at sector 2097147 are not on the disk");
}

TEST_F(HostileGpt, EntriesOverTheirHeaderAreNotRead) {
  header.entries_lba = 1;
  expect_not_believed("entries at sector 1 ");
}

TEST_F(HostileGpt, CountsBeyondReasonAreNotRead) {
  header.entry_count = 0xFFFFFFFF;
  expect_not_believed("4294967295 entries");
}

TEST_F(HostileGpt, UsableSectorsPastTheEndAreNotBelieved) {
  header.last_usable = kGib;
  expect_not_believed("usable sectors 34 to 2097152");
}

TEST_F(HostileGpt, EntriesWithAWrongChecksumAreNotBelieved) {
  header.entries_crc ^= 1U;
  expect_not_believed("entries at sector 2: wrong checksum");
}

TEST_F(HostileGpt, AHeaderWithAWrongChecksumIsNotBelieved) {
  disk.content[1][60] ^= std::byte{1};
  const LabelReport found = read_label(disk).value();
  EXPECT_THAT(found.problems,
              Contains(HasSubstr("primary EFI header at sector 1: wrong checksum")));
  EXPECT_FALSE(found.slices.empty());  // of the backup
}

TEST_F(HostileGpt, EntriesThatOverlapWrapOrPassTheEndAreNotUsable) {
  std::vector<GptEntry> entries(5);
  for (GptEntry& entry : entries) {
    entry.type = make_random_guid(7, 8);
  }
  entries[0].first = 100, entries[0].last = 200;
  entries[1].first = 150, entries[1].last = 160;
  entries[2].first = 300, entries[2].last = ~0ULL;
  entries[3].first = 500, entries[3].last = 400;
  entries[4].first = 600, entries[4].last = 700;
  const auto bytes = encode_gpt_entries(entries);
  header.entries_crc = crc32(bytes);
  ASSERT_TRUE(disk.write(Lba{2}, bytes));
  const LabelReport found = report();
  std::string usable;
  for (const Slice& slice : found.slices) {
    usable += slice.is_usable ? slice.name + " " : "";
  }
  EXPECT_EQ(usable, "s4 ");
}

TEST_F(HostileGpt, ErasingFollowsNoPointerIntoData) {
  // A header with a right checksum that points into the middle of the disk.
  header.entries_lba = kGib / 2;
  disk.content[kGib / 2][0] = std::byte{0xAA};
  disk.content[1] = encode_gpt_header(header);
  ASSERT_TRUE(erase_label(disk));
  EXPECT_EQ(disk.content[kGib / 2][0], std::byte{0xAA});
}

TEST(HostileLabel, TinyDisksAreReadAndErasedWithoutLeavingThem) {
  for (std::uint64_t sectors = 0; sectors < 8; ++sectors) {
    MemoryDisk disk(sectors);
    if (sectors > 0) {
      encode_protective_table(sectors + 1, disk.content[0]);
    }
    EXPECT_TRUE(read_label(disk).has_value()) << sectors;
    EXPECT_TRUE(erase_label(disk).has_value()) << sectors;
  }
}

}  // namespace
}  // namespace aoe::labels
