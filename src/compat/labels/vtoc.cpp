#include "compat/labels/vtoc.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace aoe::labels {
namespace {

// Offsets: protocol.md 5.4 and 5.5, which are those of struct dk_label of either machine.
constexpr std::uint32_t kSanity = 0x600DDEEE;
constexpr std::uint32_t kVersion = 1;
constexpr std::uint16_t kMagic = 0xDABE;
constexpr std::size_t kMagicAt = 508;
constexpr std::size_t kChecksumAt = 510;
constexpr std::uint16_t kRpm = 3600;
constexpr std::size_t kTextBytes = 128;
constexpr std::size_t kVolumeBytes = 8;
constexpr std::size_t kSparcSlices = 8;
constexpr std::size_t kX86Slices = 16;

// XOR of all words is 0 in either byte order, so one order serves both.
std::uint16_t xor_of_words(ConstByteSpan sector) {
  std::uint16_t sum = 0;
  for (std::size_t at = 0; at < kSectorBytes; at += 2) {
    sum = static_cast<std::uint16_t>(sum ^ load_be16(sector, at));
  }
  return sum;
}

std::string load_text(ConstByteSpan bytes) {
  const std::string_view text = as_text(bytes);
  return std::string(text.substr(0, text.find('\0')));
}

void store_text(ByteSpan field, std::string_view text, std::size_t bytes_max) {
  copy_bytes(field, as_byte_span(text.substr(0, bytes_max)));
}

auto wrong(std::string what) {
  return fail_with(Errc::corrupt, 0, std::move(what));
}

Result<Vtoc> decode_sparc(ConstByteSpan sector) {
  Vtoc vtoc;
  vtoc.form = VtocForm::sparc;
  vtoc.text = load_text(sector.first(kTextBytes));
  vtoc.data_cylinders = load_be16(sector, 432);
  vtoc.alternate_cylinders = load_be16(sector, 434);
  vtoc.geometry = {load_be16(sector, 436), load_be16(sector, 438)};
  // Labels older than the VTOC have no such part: their slices have no tags.
  const bool has_tags = load_be32(sector, 188) == kSanity;
  if (has_tags) {
    if (load_be32(sector, 128) != kVersion || load_be16(sector, 140) != kSparcSlices) {
      return wrong(fmt::format("version {} with {} slices (expected {} with {})",
                               load_be32(sector, 128), load_be16(sector, 140), kVersion,
                               kSparcSlices));
    }
    vtoc.volume = load_text(sector.subspan(132, kVolumeBytes));
  }
  for (std::size_t i = 0; i < kSparcSlices; ++i) {
    VtocSlice slice;
    if (has_tags) {
      slice.tag = load_be16(sector, 142 + 4 * i);
      slice.flags = load_be16(sector, 144 + 4 * i);
    }
    slice.start = load_be32(sector, 444 + 8 * i) * vtoc.geometry.cylinder_sectors();
    slice.sectors = load_be32(sector, 448 + 8 * i);
    vtoc.slices.push_back(slice);
  }
  return vtoc;
}

Result<Vtoc> decode_x86(ConstByteSpan sector) {
  Vtoc vtoc;
  vtoc.form = VtocForm::x86;
  if (load_le32(sector, 12) != kSanity || load_le32(sector, 16) != kVersion) {
    return wrong(fmt::format("mark {:08x}h version {} (expected {:08x}h version {})",
                             load_le32(sector, 12), load_le32(sector, 16), kSanity, kVersion));
  }
  const std::size_t count = load_le16(sector, 30);
  if (load_le16(sector, 28) != kSectorBytes || count == 0 || count > kX86Slices) {
    return wrong(fmt::format("{} slices of sectors of {} bytes (expected 1..{} of {})", count,
                             load_le16(sector, 28), kX86Slices, kSectorBytes));
  }
  vtoc.volume = load_text(sector.subspan(20, kVolumeBytes));
  vtoc.text = load_text(sector.subspan(328, kTextBytes));
  vtoc.data_cylinders = load_le32(sector, 460);
  vtoc.alternate_cylinders = load_le16(sector, 464);
  vtoc.geometry = {load_le32(sector, 468), load_le32(sector, 472)};
  vtoc.slices.resize(kX86Slices);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = 72 + 12 * i;
    vtoc.slices[i] = {load_le16(sector, at), load_le16(sector, at + 2), load_le32(sector, at + 4),
                      load_le32(sector, at + 8)};
  }
  return vtoc;
}

void encode_sparc(const Vtoc& vtoc, ByteSpan sector) {
  const auto half = [](std::uint64_t value) { return static_cast<std::uint16_t>(value); };
  store_text(sector, vtoc.text, kTextBytes - 1);
  store_be32(sector, 128, kVersion);
  store_text(sector.subspan(132), vtoc.volume, kVolumeBytes);
  store_be16(sector, 140, kSparcSlices);
  store_be32(sector, 188, kSanity);
  store_be16(sector, 420, kRpm);
  store_be16(sector, 422, half(std::uint64_t{vtoc.data_cylinders} + vtoc.alternate_cylinders));
  store_be16(sector, 430, 1);  // interleave
  store_be16(sector, 432, half(vtoc.data_cylinders));
  store_be16(sector, 434, half(vtoc.alternate_cylinders));
  store_be16(sector, 436, half(vtoc.geometry.heads));
  store_be16(sector, 438, half(vtoc.geometry.sectors_per_track));
  for (std::size_t i = 0; i < kSparcSlices && i < vtoc.slices.size(); ++i) {
    const VtocSlice& slice = vtoc.slices[i];
    store_be16(sector, 142 + 4 * i, slice.tag);
    store_be16(sector, 144 + 4 * i, slice.flags);
    store_be32(sector, 444 + 8 * i,
               static_cast<std::uint32_t>(slice.start / vtoc.geometry.cylinder_sectors()));
    store_be32(sector, 448 + 8 * i, static_cast<std::uint32_t>(slice.sectors));
  }
  store_be16(sector, kMagicAt, kMagic);
}

void encode_x86(const Vtoc& vtoc, ByteSpan sector) {
  store_le32(sector, 12, kSanity);
  store_le32(sector, 16, kVersion);
  store_text(sector.subspan(20), vtoc.volume, kVolumeBytes);
  store_le16(sector, 28, static_cast<std::uint16_t>(kSectorBytes));
  store_le16(sector, 30, kX86Slices);
  for (std::size_t i = 0; i < kX86Slices && i < vtoc.slices.size(); ++i) {
    const VtocSlice& slice = vtoc.slices[i];
    const std::size_t at = 72 + 12 * i;
    store_le16(sector, at, slice.tag);
    store_le16(sector, at + 2, slice.flags);
    store_le32(sector, at + 4, static_cast<std::uint32_t>(slice.start));
    store_le32(sector, at + 8, static_cast<std::uint32_t>(slice.sectors));
  }
  store_text(sector.subspan(328), vtoc.text, kTextBytes - 1);
  store_le32(sector, 456, vtoc.data_cylinders + vtoc.alternate_cylinders);
  store_le32(sector, 460, vtoc.data_cylinders);
  store_le16(sector, 464, static_cast<std::uint16_t>(vtoc.alternate_cylinders));
  store_le32(sector, 468, vtoc.geometry.heads);
  store_le32(sector, 472, vtoc.geometry.sectors_per_track);
  store_le16(sector, 476, 1);  // interleave
  store_le16(sector, 482, kRpm);
  store_le16(sector, kMagicAt, kMagic);
}

}  // namespace

Vtoc make_up_vtoc(VtocForm form, const Geometry& geometry, std::uint64_t sectors) {
  Vtoc vtoc;
  vtoc.form = form;
  vtoc.geometry = geometry;
  vtoc.alternate_cylinders = kAlternateCylinders;
  const std::uint64_t cylinder = geometry.cylinder_sectors();
  vtoc.data_cylinders = static_cast<std::uint32_t>(sectors / cylinder) - kAlternateCylinders;
  vtoc.text = fmt::format("DEFAULT cyl {} alt {} hd {} sec {}", vtoc.data_cylinders,
                          vtoc.alternate_cylinders, geometry.heads, geometry.sectors_per_track);
  vtoc.slices.resize(form == VtocForm::sparc ? kSparcSlices : kX86Slices);
  const std::uint64_t whole = vtoc.data_cylinders * cylinder;
  vtoc.slices[2] = {kTagBackup, kFlagUnmountable, 0, whole};
  if (form == VtocForm::sparc) {
    vtoc.slices[0] = {kTagUsr, 0, 0, whole};
  } else {
    vtoc.slices[8] = {kTagBoot, kFlagUnmountable, 0, cylinder};
    if (whole > cylinder) {
      vtoc.slices[0] = {kTagUsr, 0, cylinder, whole - cylinder};
    }
  }
  return vtoc;
}

bool has_vtoc_magic(ConstByteSpan sector, VtocForm form) {
  return (form == VtocForm::sparc ? load_be16(sector, kMagicAt) : load_le16(sector, kMagicAt)) ==
         kMagic;
}

Result<Vtoc> decode_vtoc(ConstByteSpan sector, VtocForm form) {
  if (!has_vtoc_magic(sector, form)) {
    return wrong("no magic number");
  }
  if (const std::uint16_t sum = xor_of_words(sector); sum != 0) {
    return wrong(fmt::format("wrong checksum (words XOR to {:04x}h, expected 0)", sum));
  }
  AOE_TRY_ASSIGN(Vtoc vtoc, form == VtocForm::sparc ? decode_sparc(sector) : decode_x86(sector));
  // All that is computed from these stays far below 64 bits.
  constexpr std::uint32_t kCylindersMax = 0x7FFFFFFF;
  if (vtoc.geometry.heads == 0 || vtoc.geometry.heads > 0xFFFF ||
      vtoc.geometry.sectors_per_track == 0 || vtoc.geometry.sectors_per_track > 0xFFFF ||
      vtoc.data_cylinders == 0 || vtoc.data_cylinders > kCylindersMax) {
    return wrong(fmt::format("{} cylinders, {} heads, {} sectors a track", vtoc.data_cylinders,
                             vtoc.geometry.heads, vtoc.geometry.sectors_per_track));
  }
  return vtoc;
}

Sector encode_vtoc(const Vtoc& vtoc) {
  Sector sector{};
  if (vtoc.form == VtocForm::sparc) {
    encode_sparc(vtoc, sector);
  } else {
    encode_x86(vtoc, sector);
  }
  // The field itself is still zero.
  store_be16(sector, kChecksumAt, xor_of_words(sector));
  return sector;
}

std::vector<std::uint64_t> backup_labels_of(const Vtoc& vtoc) {
  if (vtoc.alternate_cylinders == 0) {
    return {};
  }
  const std::uint64_t last_cylinder =
      std::uint64_t{vtoc.data_cylinders} + vtoc.alternate_cylinders - 1;
  const std::uint64_t first =
      last_cylinder * vtoc.geometry.cylinder_sectors() +
      std::uint64_t{vtoc.geometry.heads - 1} * vtoc.geometry.sectors_per_track + 1;
  return {first, first + 2, first + 4, first + 6, first + 8};
}

}  // namespace aoe::labels
