#include "target/blob.h"

#include "base/check.h"
#include "base/crc32c.h"

#include <utility>

namespace aoe::target {
namespace {

constexpr std::size_t kMagicBytes = 8;
constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kSectionHeaderBytes = 8;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kMacBytes = 6;

}  // namespace

BlobWriter::BlobWriter(const BlobKind& kind) {
  AOE_CHECK(kind.magic.size() == kMagicBytes, "a magic has 8 characters");
  bytes(as_byte_span(kind.magic));
  u16(kind.version);
  u16(0);
  u32(0);
}

ByteSpan BlobWriter::grow(std::size_t count) {
  out_.resize(out_.size() + count);
  return ByteSpan(out_).last(count);
}

void BlobWriter::section(std::uint16_t type) {
  end_section();
  u16(type);
  u16(0);
  u32(0);
  section_begin_ = out_.size();
}

void BlobWriter::end_section() {
  if (section_begin_ != 0) {
    store_le32(out_, section_begin_ - 4, static_cast<std::uint32_t>(out_.size() - section_begin_));
  }
}

void BlobWriter::u8(std::uint8_t value) {
  grow(1)[0] = std::byte{value};
}

void BlobWriter::u16(std::uint16_t value) {
  store_le16(grow(2), 0, value);
}

void BlobWriter::u32(std::uint32_t value) {
  store_le32(grow(4), 0, value);
}

void BlobWriter::u64(std::uint64_t value) {
  store_le64(grow(8), 0, value);
}

void BlobWriter::mac(const MacAddress& value) {
  store_mac(grow(kMacBytes), 0, value);
}

void BlobWriter::bytes(ConstByteSpan value) {
  copy_bytes(grow(value.size()), value);
}

std::vector<std::byte> BlobWriter::finish() {
  end_section();
  store_le32(out_, kHeaderBytes - 4, static_cast<std::uint32_t>(out_.size() - kHeaderBytes));
  u32(crc32c(out_));
  return std::move(out_);
}

Error blob_error(const BlobKind& kind, DeviceAddress address, std::string_view what) {
  return Error{Errc::corrupt, 0,
               to_string(address) + ": " + std::string(kind.name) + ": " + std::string(what) +
                   " (" + std::string(kind.hint) + ")"};
}

Result<void> read_blob(
    const BlobKind& kind, DeviceAddress address, ConstByteSpan bytes,
    const std::function<bool(std::uint16_t type, ConstByteSpan content)>& read_section) {
  const auto corrupt = [&](std::string_view what) { return fail(blob_error(kind, address, what)); };
  if (bytes.size() < kHeaderBytes + kChecksumBytes) {
    return corrupt("too short");
  }
  if (!equal_bytes(bytes.first(kMagicBytes), as_byte_span(kind.magic))) {
    return corrupt("does not begin with \"" + std::string(kind.magic) + "\"");
  }
  const ConstByteSpan content = bytes.first(bytes.size() - kChecksumBytes);
  if (crc32c(content) != load_le32(bytes, content.size())) {
    return corrupt("checksum does not match");
  }
  if (load_le16(bytes, kMagicBytes) != kind.version) {
    return fail_with(Errc::unsupported, 0,
                     to_string(address) + ": " + std::string(kind.name) + ": version " +
                         std::to_string(load_le16(bytes, kMagicBytes)) +
                         ", this program knows version " + std::to_string(kind.version));
  }
  ConstByteSpan sections = content.subspan(kHeaderBytes);
  if (load_le32(bytes, kHeaderBytes - 4) != sections.size()) {
    return corrupt("stated length does not match");
  }
  while (!sections.empty()) {
    if (sections.size() < kSectionHeaderBytes) {
      return corrupt("a section is cut off");
    }
    const std::uint16_t type = load_le16(sections, 0);
    const std::size_t length = load_le32(sections, 4);
    sections = sections.subspan(kSectionHeaderBytes);
    if (length > sections.size()) {
      return corrupt("a section is cut off");
    }
    if (!read_section(type, sections.first(length))) {
      return corrupt("a section has impossible content or belongs to another export");
    }
    sections = sections.subspan(length);
  }
  return {};
}

}  // namespace aoe::target
