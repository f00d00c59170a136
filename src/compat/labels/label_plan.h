// Which sectors change when a label is written or taken away.
#pragma once

#include "base/result.h"
#include "compat/labels/disk.h"
#include "compat/labels/geometry.h"
#include "compat/labels/gpt.h"
#include "compat/labels/label_reader.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aoe::labels {

// `automatic`: SPARC VTOC up to 1 TiB, EFI above.
enum class LabelKind : std::uint8_t { automatic, vtoc_sparc, vtoc_x86, efi };

struct LabelWish {
  LabelKind kind = LabelKind::automatic;
  std::optional<Geometry> geometry;  // of VTOC; made up otherwise
  std::string volume;                // of VTOC, up to 8 bytes
  // Of EFI: the disk, slice 0 and the reserved slice. From random bits.
  Guid disk_guid;
  Guid data_guid;
  Guid reserved_guid;
};

struct SectorWrite {
  Lba lba;
  std::vector<std::byte> bytes;  // whole sectors
};

// In the order of writing: the sector that makes a label valid comes last. `first_sector` is what
// the disk has there: boot code stays beside a DOS table. Errors: invalid_argument (the disk is too
// small or too big for that kind or geometry), in words without the disk's name.
[[nodiscard]] Result<std::vector<SectorWrite>> plan_label(const LabelWish& wish,
                                                          std::uint64_t disk_sectors,
                                                          const Sector& first_sector);

// Zeros over every label and backup label that is there, good or damaged: VTOC of both forms and
// EFI. Partitions of a DOS table stay, but for the Solaris one and the protective entry. Boot code
// stays. Nothing outside the sectors where labels are found or must be is touched, whatever a label
// says. Errors: those of reading.
[[nodiscard]] Result<std::vector<SectorWrite>> plan_erase(Disk& disk);

// Erases what is there, writes the new label, and flushes. Without `replace` a disk with any label,
// a damaged one too, is refused. Errors: already_exists, those of plan_label, and those of the
// disk, all with its name.
enum class Replace : std::uint8_t { no, yes };
[[nodiscard]] Result<void> init_label(Disk& disk, const LabelWish& wish, Replace replace);

// Flushes, too. Returns how many sectors were cleared. Errors: those of the disk.
[[nodiscard]] Result<std::uint64_t> erase_label(Disk& disk);

}  // namespace aoe::labels
