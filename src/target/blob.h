// The form of everything that an export remembers in bytes: sections behind a magic, under a
// checksum.
//
// 8 bytes magic, LE16 version, LE16 reserved, LE32 length of the sections, sections (LE16 type,
// LE16 reserved, LE32 length, bytes), LE32 CRC-32C over everything before it.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::target {

struct BlobKind {
  std::string_view magic;  // 8 characters
  std::uint16_t version = 1;
  std::string_view name;  // in messages: "state file"
  std::string_view hint;  // what to do about one that is damaged
};

class BlobWriter {
 public:
  explicit BlobWriter(const BlobKind& kind);

  // Everything until the next section belongs to this one.
  void section(std::uint16_t type);
  void u8(std::uint8_t value);
  void u16(std::uint16_t value);
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void mac(const MacAddress& value);
  void bytes(ConstByteSpan value);

  // The whole blob; the writer is used up.
  [[nodiscard]] std::vector<std::byte> finish();

 private:
  ByteSpan grow(std::size_t count);
  void end_section();

  std::vector<std::byte> out_;
  std::size_t section_begin_ = 0;  // of the last one's content; 0: there is none yet
};

// Calls `read_section` with the type and content of each section. It says false for content that
// cannot be; an unknown type is for it to skip.
//
// corrupt: wrong magic, length or checksum, a section that is cut off or cannot be; unsupported: a
// version of the future. Messages begin with the address.
[[nodiscard]] Result<void> read_blob(
    const BlobKind& kind, DeviceAddress address, ConstByteSpan bytes,
    const std::function<bool(std::uint16_t type, ConstByteSpan content)>& read_section);

// What is left of `kind` after its sections were read, as the error of something that is missing.
[[nodiscard]] Error blob_error(const BlobKind& kind, DeviceAddress address, std::string_view what);

}  // namespace aoe::target
