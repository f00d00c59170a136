// Solaris VTOC labels: one sector, big-endian with 8 slices (SPARC) or little-endian with 16 (x86).
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "compat/labels/disk.h"
#include "compat/labels/geometry.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace aoe::labels {

// Where it stands: SPARC sector 0 of the disk; x86 sector 1 of the Solaris partition of a DOS
// table, whose start all of its sector numbers count from.
enum class VtocForm : std::uint8_t { sparc, x86 };

inline constexpr std::uint64_t kX86LabelSector = 1;
inline constexpr std::uint32_t kAlternateCylinders = 2;

// Tags and flags as they stand on disk.
inline constexpr std::uint16_t kTagUnassigned = 0;
inline constexpr std::uint16_t kTagBoot = 1;
inline constexpr std::uint16_t kTagUsr = 4;
inline constexpr std::uint16_t kTagBackup = 5;  // the whole disk, over the other slices
inline constexpr std::uint16_t kFlagUnmountable = 0x01;
inline constexpr std::uint16_t kFlagReadOnly = 0x10;

struct VtocSlice {
  std::uint16_t tag = kTagUnassigned;
  std::uint16_t flags = 0;
  std::uint64_t start = 0;    // SPARC: a multiple of the cylinder
  std::uint64_t sectors = 0;  // 0: not used

  friend bool operator==(const VtocSlice&, const VtocSlice&) = default;
};

struct Vtoc {
  VtocForm form = VtocForm::sparc;
  std::string text;    // "DEFAULT cyl 201 alt 2 hd 16 sec 63", up to 127 bytes
  std::string volume;  // up to 8 bytes
  std::uint32_t data_cylinders = 0;
  std::uint32_t alternate_cylinders = 0;
  Geometry geometry;
  std::vector<VtocSlice> slices;  // 8 or 16

  friend bool operator==(const Vtoc&, const Vtoc&) = default;
};

// What Solaris makes up: slice 0 is all data (x86: behind the boot cylinder, slice 8), slice 2 the
// whole. `sectors` are those of the disk, or of the Solaris partition; is_usable(geometry, sectors)
// is true.
[[nodiscard]] Vtoc make_up_vtoc(VtocForm form, const Geometry& geometry, std::uint64_t sectors);

// Whether the sector ends as such a label does, right or wrong.
[[nodiscard]] bool has_vtoc_magic(ConstByteSpan sector, VtocForm form);

// Only what is consistent comes back: magic, checksum, version, number of slices and geometry are
// right. Whether slices lie on the disk is not looked at. Errors: corrupt, what is wrong in words.
[[nodiscard]] Result<Vtoc> decode_vtoc(ConstByteSpan sector, VtocForm form);

// With its checksum. SPARC: starts are multiples of the cylinder, cylinders, heads and sectors fit
// 16 bits.
[[nodiscard]] Sector encode_vtoc(const Vtoc& vtoc);

// The five backup labels, in the last track of the alternate cylinders; relative, like the slices.
// Empty without alternate cylinders.
[[nodiscard]] std::vector<std::uint64_t> backup_labels_of(const Vtoc& vtoc);

// "usr", "backup"; "tag 77" for what has no name.
[[nodiscard]] std::string vtoc_tag_name(std::uint16_t tag);
// "wm": writable and mountable, as prtvtoc and format write them; "wu", "rm", "ru".
[[nodiscard]] std::string flags_text(std::uint64_t flags);

}  // namespace aoe::labels
