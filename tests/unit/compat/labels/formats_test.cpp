// The bytes of labels, where the descriptions of the formats have them (protocol.md 5).
#include "compat/labels/dos_table.h"
#include "compat/labels/gpt.h"
#include "compat/labels/gpt_types.h"
#include "compat/labels/vtoc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aoe::labels {
namespace {

using testing::ElementsAre;

std::uint16_t xor_of(const Sector& sector) {
  std::uint16_t sum = 0;
  for (std::size_t at = 0; at < sector.size(); at += 2) {
    sum = static_cast<std::uint16_t>(sum ^ load_be16(sector, at));
  }
  return sum;
}

TEST(Formats, SparcLabelIsBigEndianWithEightSlices) {
  const Vtoc vtoc = make_up_vtoc(VtocForm::sparc, {16, 63}, 204'800);
  const Sector sector = encode_vtoc(vtoc);
  const std::string_view text = as_text(ConstByteSpan(sector).first(128));
  EXPECT_EQ(text.substr(0, text.find('\0')), "DEFAULT cyl 201 alt 2 hd 16 sec 63");
  EXPECT_EQ(load_be32(sector, 128), 1U);
  EXPECT_EQ(load_be16(sector, 140), 8U);
  EXPECT_EQ(load_be32(sector, 188), 0x600DDEEEU);
  EXPECT_EQ(load_be16(sector, 422), 203U);
  EXPECT_EQ(load_be16(sector, 432), 201U);
  EXPECT_EQ(load_be16(sector, 434), 2U);
  EXPECT_EQ(load_be16(sector, 436), 16U);
  EXPECT_EQ(load_be16(sector, 438), 63U);
  EXPECT_EQ(load_be16(sector, 150), 5U);  // tag of slice 2
  EXPECT_EQ(load_be16(sector, 152), 1U);
  EXPECT_EQ(load_be32(sector, 460), 0U);
  EXPECT_EQ(load_be32(sector, 464), 201U * 16 * 63);
  EXPECT_EQ(load_be16(sector, 508), 0xDABEU);
  EXPECT_EQ(xor_of(sector), 0U);
}

TEST(Formats, X86LabelIsLittleEndianWithSixteenSlices) {
  const Vtoc vtoc = make_up_vtoc(VtocForm::x86, {16, 63}, 204'800);
  const Sector sector = encode_vtoc(vtoc);
  EXPECT_EQ(load_le32(sector, 12), 0x600DDEEEU);
  EXPECT_EQ(load_le32(sector, 16), 1U);
  EXPECT_EQ(load_le16(sector, 28), 512U);
  EXPECT_EQ(load_le16(sector, 30), 16U);
  EXPECT_EQ(load_le16(sector, 72), 4U);        // slice 0: usr
  EXPECT_EQ(load_le32(sector, 76), 16U * 63);  // behind the boot cylinder
  EXPECT_EQ(load_le16(sector, 96), 5U);        // slice 2
  EXPECT_EQ(load_le32(sector, 104), 201U * 16 * 63);
  EXPECT_EQ(load_le16(sector, 168), 1U);  // slice 8: boot
  EXPECT_EQ(load_le32(sector, 176), 16U * 63);
  EXPECT_EQ(load_le32(sector, 456), 203U);
  EXPECT_EQ(load_le32(sector, 460), 201U);
  EXPECT_EQ(load_le16(sector, 464), 2U);
  EXPECT_EQ(load_le32(sector, 468), 16U);
  EXPECT_EQ(load_le32(sector, 472), 63U);
  EXPECT_EQ(load_le16(sector, 508), 0xDABEU);
  EXPECT_EQ(xor_of(sector), 0U);
}

TEST(Formats, VtocReadsBackAsItWasWritten) {
  for (const VtocForm form : {VtocForm::sparc, VtocForm::x86}) {
    Vtoc vtoc = make_up_vtoc(form, {255, 189}, kVtocSectorsMax);
    vtoc.volume = "backup01";
    const auto again = decode_vtoc(encode_vtoc(vtoc), form);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(*again, vtoc);
  }
}

TEST(Formats, BackupLabelsAreOddSectorsOfTheLastTrack) {
  const Vtoc vtoc = make_up_vtoc(VtocForm::sparc, {16, 63}, 204'800);
  const std::uint64_t first = 202U * 16 * 63 + 15U * 63 + 1;
  EXPECT_THAT(backup_labels_of(vtoc),
              ElementsAre(first, first + 2, first + 4, first + 6, first + 8));
}

TEST(Formats, ProtectiveTableCoversTheDiskAsFarAsItsFieldsReach) {
  Sector sector{};
  encode_protective_table(2048, sector);
  const std::array<std::uint8_t, 16> entry{0x00, 0x00, 0x02, 0x00, 0xEE, 0xFF, 0xFF, 0xFF,
                                           0x01, 0x00, 0x00, 0x00, 0xFF, 0x07, 0x00, 0x00};
  for (std::size_t i = 0; i < entry.size(); ++i) {
    EXPECT_EQ(load_u8(sector, 446 + i), entry[i]) << i;
  }
  EXPECT_EQ(load_le16(sector, 510), 0xAA55U);
  encode_protective_table(std::uint64_t{1} << 40U, sector);
  EXPECT_EQ(load_le32(sector, 458), 0xFFFFFFFFU);
}

TEST(Formats, DosTableKeepsBootCodeAndReadsBack) {
  Sector sector{};
  sector[0] = std::byte{0xEB};
  DosTable table{};
  table[1] = {kDosSolaris, true, 2048, 0x10000000};
  encode_dos_table(table, sector);
  EXPECT_EQ(sector[0], std::byte{0xEB});
  EXPECT_EQ(load_u8(sector, 462 + 1), 32U);  // head of sector 2048 with 255 heads of 63 sectors
  EXPECT_EQ(load_u8(sector, 462 + 2), 33U);
  EXPECT_EQ(load_u8(sector, 462 + 5), 0xFEU);  // the end is beyond 1023 cylinders
  EXPECT_EQ(decode_dos_table(sector), table);
  clear_dos_table(sector);
  EXPECT_EQ(decode_dos_table(sector), std::nullopt);
  EXPECT_EQ(sector[0], std::byte{0xEB});
}

TEST(Formats, GuidsAreWrittenInTheirMixedOrder) {
  EXPECT_EQ(to_string(solaris_reserved_type()), "6a945a3b-1dd2-11b2-99a6-080020736631");
  std::vector<GptEntry> entries(1);
  entries[0].type = solaris_reserved_type();
  const auto bytes = encode_gpt_entries(entries);
  EXPECT_EQ(load_le32(bytes, 0), 0x6a945a3bU);
  EXPECT_EQ(load_le16(bytes, 4), 0x1dd2U);
  EXPECT_EQ(load_be16(bytes, 8), 0x99a6U);
  const Guid guid = make_random_guid(~0ULL, ~0ULL);
  EXPECT_EQ(to_string(guid), "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

TEST(Formats, GptHeaderReadsBackAsItWasWritten) {
  GptHeader header;
  header.my_lba = 1;
  header.alternate_lba = 99'999;
  header.first_usable = 34;
  header.last_usable = 99'966;
  header.disk_guid = make_random_guid(1, 2);
  header.entries_lba = 2;
  header.entry_count = 128;
  header.entries_crc = 0x12345678;
  const Sector sector = encode_gpt_header(header);
  const auto again = decode_gpt_header(sector, 1, 100'000);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(*again, header);
}

TEST(Formats, GptEntriesReadBackAsTheyWereWritten) {
  const std::vector<GptEntry> entries{
      {solaris_usr_type(), make_random_guid(3, 4), 256, 1000, kFlagUnmountable, "data"},
      {},
      {solaris_reserved_type(), make_random_guid(5, 6), 1001, ~0ULL, 0, std::string(36, 'x')}};
  auto again = decode_gpt_entries(encode_gpt_entries(entries));
  ASSERT_EQ(again.size(), kGptEntries);
  again.resize(entries.size());
  EXPECT_EQ(again, entries);
}

TEST(Formats, TypesTagsAndFlagsHaveNames) {
  EXPECT_EQ(gpt_type_name(solaris_usr_type()), "usr");
  EXPECT_EQ(gpt_type_name(Guid{}), "00000000-0000-0000-0000-000000000000");
  EXPECT_EQ(vtoc_tag_name(5), "backup");
  EXPECT_EQ(vtoc_tag_name(0xFF), "unknown");
  EXPECT_EQ(vtoc_tag_name(77), "tag 77");
  EXPECT_EQ(flags_text(0), "wm");
  EXPECT_EQ(flags_text(kFlagUnmountable | kFlagReadOnly), "ru");
}

}  // namespace
}  // namespace aoe::labels
