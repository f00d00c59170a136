// Any bytes as the first and the last sectors of a disk: reading, showing and erasing its label
// stays on the disk, what is called usable lies on it, and after a new label nothing of the old one
// is left.
#include "base/check.h"
#include "compat/labels/crc32.h"
#include "compat/labels/label_plan.h"
#include "compat/labels/label_reader.h"
#include "compat/labels/label_text.h"
#include "fuzz/fuzz_entry.h"
#include "unit/compat/labels/memory_disk.h"

#include <algorithm>

namespace aoe::labels {
namespace {

using testing_support::MemoryDisk;

// The first byte chooses a size, the second whether checksums are made right, so that what lies
// behind them is reached.
constexpr std::array<std::uint64_t, 6> kSizes{3,      68,         512,
                                              0x8000, 0x80000001, std::uint64_t{1} << 48U};
constexpr std::size_t kSectorsGiven = 4;  // 0, 1, 2 and the last

void mend_checksums(MemoryDisk& disk) {
  for (auto& [lba, sector] : disk.content) {
    if (has_gpt_signature(sector)) {
      store_le32(sector, 12, 92);
      store_le32(sector, 88, crc32(std::vector<std::byte>(16384)));
      store_le32(sector, 16, 0);
      store_le32(sector, 16, crc32(ConstByteSpan(sector).first(92)));
    } else if (has_vtoc_magic(sector, VtocForm::sparc) || has_vtoc_magic(sector, VtocForm::x86)) {
      std::uint16_t sum = 0;
      store_be16(sector, 510, 0);
      for (std::size_t at = 0; at < sector.size(); at += 2) {
        sum = static_cast<std::uint16_t>(sum ^ load_be16(sector, at));
      }
      store_be16(sector, 510, sum);
    }
  }
}

void check_disk(MemoryDisk& disk) {
  const auto report = read_label(disk);
  AOE_CHECK(report.has_value(), "reading a label stays on the disk");
  for (const Slice& slice : report->slices) {
    AOE_CHECK(!slice.is_usable || (slice.start < disk.sectors() && slice.sectors != 0 &&
                                   slice.sectors <= disk.sectors() - slice.start),
              "usable slices are on the disk");
  }
  AOE_CHECK(!label_text(*report).empty(), "a label can be shown");
  LabelWish wish;
  wish.disk_guid = make_random_guid(1, 2);
  const bool is_possible = plan_label(wish, disk.sectors(), Sector{}).has_value();
  AOE_CHECK(erase_label(disk).has_value(), "erasing stays on the disk");
  if (is_possible) {
    AOE_CHECK(init_label(disk, wish, Replace::yes).has_value(), "a new label can be written");
    const auto again = read_label(disk);
    AOE_CHECK(again.has_value() && again->is_good(), "a new label is good, whatever was before");
  }
}

}  // namespace
}  // namespace aoe::labels

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace labels = aoe::labels;
  if (size < 2) {
    return 0;
  }
  const std::uint64_t sectors = labels::kSizes[data[0] % labels::kSizes.size()];
  labels::testing_support::MemoryDisk disk(sectors);
  aoe::ConstByteSpan rest = std::as_bytes(std::span(data + 2, size - 2));
  for (std::size_t i = 0; i < labels::kSectorsGiven && !rest.empty(); ++i) {
    labels::Sector& sector = disk.content[i + 1 < labels::kSectorsGiven ? i : sectors - 1];
    const aoe::ConstByteSpan part = rest.first(std::min(rest.size(), sector.size()));
    aoe::copy_bytes(sector, part);
    rest = rest.subspan(part.size());
  }
  if ((data[1] & 1U) != 0) {
    labels::mend_checksums(disk);
  }
  labels::check_disk(disk);
  return 0;
}
