// The DOS partition table (MBR) in sector 0, its protective form too.
#pragma once

#include "base/bytes.h"
#include "compat/labels/disk.h"

#include <array>
#include <cstdint>
#include <optional>

namespace aoe::labels {

// The types that mean something here; protocol.md 5.1 and every fdisk have the others.
inline constexpr std::uint8_t kDosSolarisOld = 0x82;  // also Linux swap
inline constexpr std::uint8_t kDosSolaris = 0xBF;
inline constexpr std::uint8_t kDosProtective = 0xEE;

struct DosEntry {
  std::uint8_t type = 0;  // 0: not used
  bool is_active = false;
  std::uint32_t start = 0;  // sector of the disk
  std::uint32_t sectors = 0;

  [[nodiscard]] bool is_used() const { return type != 0 && sectors != 0; }

  friend bool operator==(const DosEntry&, const DosEntry&) = default;
};

using DosTable = std::array<DosEntry, 4>;

// nullopt without the signature 55h AAh. Nothing of the entries is checked.
[[nodiscard]] std::optional<DosTable> decode_dos_table(ConstByteSpan sector);

// Writes the entries and the signature over bytes 446 to 511; what is before stays (boot code). The
// CHS fields count 255 heads of 63 sectors, as everybody's do.
void encode_dos_table(const DosTable& table, ByteSpan sector);

// One entry EEh over the whole disk, with its special CHS fields.
void encode_protective_table(std::uint64_t disk_sectors, ByteSpan sector);

// Makes the entries and the signature zero.
void clear_dos_table(ByteSpan sector);

}  // namespace aoe::labels
