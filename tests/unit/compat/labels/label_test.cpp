// Whole labels, written to a disk and read back.
#include "compat/labels/label_plan.h"
#include "compat/labels/label_reader.h"
#include "compat/labels/label_text.h"
#include "unit/compat/labels/memory_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace aoe::labels {
namespace {

using testing::HasSubstr;
using testing_support::MemoryDisk;

constexpr std::uint64_t kGib = 0x200000;
constexpr std::uint64_t kWholeAddressSpace = std::uint64_t{1} << 48U;  // 128 PiB

LabelWish wish_of(LabelKind kind) {
  LabelWish wish;
  wish.kind = kind;
  wish.disk_guid = make_random_guid(1, 2);
  wish.data_guid = make_random_guid(3, 4);
  wish.reserved_guid = make_random_guid(5, 6);
  return wish;
}

// "s0 START+SECTORS type" a slice.
std::string slices_text(const LabelReport& report) {
  std::string text;
  for (const Slice& slice : report.slices) {
    text += slice.name + " " + std::to_string(slice.start) + "+" + std::to_string(slice.sectors) +
            " " + slice.type + (slice.is_usable ? "" : "!") + "; ";
  }
  return text;
}

LabelReport init_and_read(MemoryDisk& disk, LabelKind kind) {
  const auto done = init_label(disk, wish_of(kind), Replace::no);
  EXPECT_TRUE(done.has_value()) << done.error().message;
  return read_label(disk).value();
}

TEST(Label, ABlankDiskHasNone) {
  MemoryDisk disk(kGib);
  const LabelReport report = read_label(disk).value();
  EXPECT_EQ(report.scheme, Scheme::none);
  EXPECT_TRUE(report.is_good());
}

TEST(Label, UpToOneTebibyteIsVtocAndAboveEfi) {
  MemoryDisk small(kVtocSectorsMax);
  EXPECT_EQ(init_and_read(small, LabelKind::automatic).scheme, Scheme::vtoc_sparc);
  MemoryDisk big(kVtocSectorsMax + 1);
  EXPECT_EQ(init_and_read(big, LabelKind::automatic).scheme, Scheme::efi);
}

TEST(Label, SparcSlicesZeroAndTwoAreAllData) {
  MemoryDisk disk(kGib);
  const LabelReport report = init_and_read(disk, LabelKind::vtoc_sparc);
  EXPECT_EQ(slices_text(report), "s0 0+2093056 usr; s2 0+2093056 backup; ");
  EXPECT_EQ(report.backups_good, 5U);
  EXPECT_TRUE(report.is_good());
  EXPECT_EQ(disk.flushes, 2);
}

TEST(Label, X86LabelIsInsideItsDosPartition) {
  MemoryDisk disk(kGib);
  const LabelReport report = init_and_read(disk, LabelKind::vtoc_x86);
  EXPECT_EQ(slices_text(report),
            "p1 2048+2095104 type bfh; s0 4096+2088960 usr; s2 2048+2091008 backup; "
            "s8 2048+2048 boot; ");
  EXPECT_EQ(report.backups_good, 5U);
  EXPECT_TRUE(report.is_good()) << report.problems.front();
}

TEST(Label, EfiReachesTheLastSectorOfTheLargestDisk) {
  MemoryDisk disk(kWholeAddressSpace);
  const LabelReport report = init_and_read(disk, LabelKind::automatic);
  EXPECT_EQ(slices_text(report), "s0 256+281474976693983 usr; s8 281474976694239+16384 reserved; ");
  EXPECT_EQ(report.gpt->alternate_lba, kWholeAddressSpace - 1);
  EXPECT_TRUE(report.is_good());
}

TEST(Label, EfiUsesItsBackupWhenThePrimaryIsLost) {
  MemoryDisk disk(kVtocSectorsMax * 3);
  const LabelReport before = init_and_read(disk, LabelKind::automatic);
  disk.content[1] = Sector{};
  const LabelReport report = read_label(disk).value();
  EXPECT_EQ(report.scheme, Scheme::efi);
  EXPECT_EQ(slices_text(report), slices_text(before));
  EXPECT_FALSE(report.is_good());
}

TEST(Label, AGrownDiskIsToldFromALostBackup) {
  MemoryDisk disk(kVtocSectorsMax * 3);
  ASSERT_EQ(init_and_read(disk, LabelKind::automatic).scheme, Scheme::efi);
  MemoryDisk grown(kVtocSectorsMax * 4);
  grown.content = disk.content;
  const LabelReport report = read_label(grown).value();
  ASSERT_EQ(report.problems.size(), 1U);
  EXPECT_THAT(report.problems[0], HasSubstr("has the disk grown?"));
  EXPECT_FALSE(report.slices.empty());
}

TEST(Label, EveryKindIsRefusedOnALabelledDiskAndReplacedWhenAsked) {
  for (const LabelKind first : {LabelKind::vtoc_sparc, LabelKind::vtoc_x86, LabelKind::efi}) {
    for (const LabelKind second : {LabelKind::vtoc_sparc, LabelKind::vtoc_x86, LabelKind::efi}) {
      MemoryDisk disk(kGib);
      ASSERT_TRUE(init_label(disk, wish_of(first), Replace::no));
      const auto before = disk.content;
      const auto refused = init_label(disk, wish_of(second), Replace::no);
      ASSERT_FALSE(refused.has_value());
      EXPECT_EQ(refused.error().code, Errc::already_exists);
      EXPECT_EQ(disk.content, before);
      ASSERT_TRUE(init_label(disk, wish_of(second), Replace::yes));
      MemoryDisk fresh(kGib);
      ASSERT_TRUE(init_label(fresh, wish_of(second), Replace::no));
      EXPECT_EQ(label_text(read_label(disk).value()), label_text(read_label(fresh).value()));
    }
  }
}

TEST(Label, ADamagedLabelIsALabelToo) {
  MemoryDisk disk(kGib);
  ASSERT_TRUE(init_label(disk, wish_of(LabelKind::vtoc_sparc), Replace::no));
  disk.content[0][200] = std::byte{1};
  EXPECT_FALSE(init_label(disk, wish_of(LabelKind::efi), Replace::no));
}

TEST(Label, WhatCannotBeWrittenLeavesTheOldLabel) {
  MemoryDisk disk(4096);
  ASSERT_TRUE(init_label(disk, wish_of(LabelKind::vtoc_sparc), Replace::no));
  const auto before = disk.content;
  const auto refused = init_label(disk, wish_of(LabelKind::efi), Replace::yes);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("8 MiB are reserved"));
  EXPECT_EQ(disk.content, before);
}

TEST(Label, ErasingLeavesNothingOfAnyKind) {
  for (const LabelKind kind : {LabelKind::vtoc_sparc, LabelKind::vtoc_x86, LabelKind::efi}) {
    MemoryDisk disk(kGib);
    ASSERT_TRUE(init_label(disk, wish_of(kind), Replace::no));
    EXPECT_GT(erase_label(disk).value(), 5U);
    EXPECT_TRUE(disk.is_all_zero());
  }
}

TEST(Label, ErasingKeepsBootCodeAndOtherPartitions) {
  MemoryDisk disk(kGib);
  ASSERT_TRUE(init_label(disk, wish_of(LabelKind::vtoc_x86), Replace::no));
  Sector& first = disk.content[0];
  DosTable table = decode_dos_table(first).value();
  table[0].sectors -= 4096;
  table[2] = {0x83, false, static_cast<std::uint32_t>(kGib - 4096), 4096};
  encode_dos_table(table, first);
  first[0] = std::byte{0xEB};
  ASSERT_TRUE(erase_label(disk));
  table[0] = {};
  EXPECT_EQ(decode_dos_table(disk.content[0]), table);
  EXPECT_EQ(disk.content[0][0], std::byte{0xEB});
}

TEST(Label, TheBackupOfOldSolarisOneSectorBeforeTheEndIsFoundAndErased) {
  MemoryDisk disk(kGib);
  ASSERT_TRUE(init_label(disk, wish_of(LabelKind::efi), Replace::no));
  // The same label on a disk that has one sector more.
  MemoryDisk longer(kGib + 1);
  longer.content = disk.content;
  EXPECT_TRUE(read_label(longer).value().is_good());
  ASSERT_TRUE(erase_label(longer));
  EXPECT_TRUE(longer.is_all_zero());
}

TEST(Label, ThePlanWritesTheSectorThatMakesItValidLast) {
  for (const LabelKind kind : {LabelKind::vtoc_sparc, LabelKind::vtoc_x86, LabelKind::efi}) {
    const auto plan = plan_label(wish_of(kind), kGib, Sector{}).value();
    EXPECT_EQ(plan.back().lba, Lba{0});
  }
}

TEST(Label, TextShowsSlicesAndHidesControlCharacters) {
  MemoryDisk disk(kGib);
  LabelWish wish = wish_of(LabelKind::vtoc_sparc);
  wish.volume = "a\x1b[2J";
  ASSERT_TRUE(init_label(disk, wish, Replace::no));
  const std::string text = label_text(read_label(disk).value());
  EXPECT_THAT(text, HasSubstr("volume:    a?[2J\n"));
  EXPECT_THAT(text, HasSubstr("backups:   5 of 5 good\n"));
  EXPECT_THAT(text, HasSubstr("s0                  0         2093056  wm     usr\n"));
}

}  // namespace
}  // namespace aoe::labels
