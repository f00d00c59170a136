#include "target/persistent_state.h"

#include "base/crc32c.h"
#include "base/fnv1a.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_mac_lists.h"

#include <string_view>

namespace aoe::target {
namespace {

constexpr std::string_view kMagic = "aoestate";
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 16;
constexpr std::size_t kSectionHeaderBytes = 8;
constexpr std::size_t kChecksumBytes = 4;
constexpr std::size_t kMacBytes = 6;

enum class Section : std::uint16_t {
  identity = 1,  // shelf LE16, slot LE16, identity LE64, generation LE64
  config_string = 2,
  mask = 3,
  reservation = 4,
  life = 5,  // six LE64 in the order of LifeCounters
};

class Writer {
 public:
  void u16(std::uint16_t value) { store_le16(grow(2), 0, value); }

  void u32(std::uint32_t value) { store_le32(grow(4), 0, value); }

  void u64(std::uint64_t value) { store_le64(grow(8), 0, value); }

  void bytes(ConstByteSpan value) { copy_bytes(grow(value.size()), value); }

  void section(Section type, std::size_t length) {
    u16(static_cast<std::uint16_t>(type));
    u16(0);
    u32(static_cast<std::uint32_t>(length));
  }

  void macs(Section type, const std::vector<MacAddress>& list) {
    section(type, list.size() * kMacBytes);
    for (const MacAddress& mac : list) {
      store_mac(grow(kMacBytes), 0, mac);
    }
  }

  [[nodiscard]] std::vector<std::byte>& out() { return out_; }

 private:
  ByteSpan grow(std::size_t count) {
    out_.resize(out_.size() + count);
    return ByteSpan(out_).last(count);
  }

  std::vector<std::byte> out_;
};

auto corrupt(DeviceAddress address, const char* what) {
  return fail_with(Errc::corrupt, 0,
                   to_string(address) + ": state file: " + what +
                       " (restore it from a backup, or remove it to start with an empty state)");
}

bool read_macs(ConstByteSpan body, std::vector<MacAddress>& list) {
  // A section that comes twice must not make a list longer than it may be.
  if (body.size() % kMacBytes != 0 || body.size() / kMacBytes > protocol::kMacListCountMax ||
      !list.empty()) {
    return false;
  }
  for (std::size_t at = 0; at < body.size(); at += kMacBytes) {
    list.push_back(load_mac(body, at));
  }
  return true;
}

// False when the section's content cannot be.
bool read_section(DeviceAddress address, std::uint16_t type, ConstByteSpan body,
                  PersistentState& state) {
  switch (static_cast<Section>(type)) {
    case Section::identity:
      if (body.size() != 20 || load_le16(body, 0) != address.shelf.value ||
          load_le16(body, 2) != address.slot.value) {
        return false;
      }
      state.identity = load_le64(body, 4);
      state.generation = load_le64(body, 12);
      return true;
    case Section::config_string:
      if (body.size() > protocol::kConfigStringBytesMax) {
        return false;
      }
      state.config_string.assign(body.begin(), body.end());
      return true;
    case Section::mask:
      return read_macs(body, state.mask);
    case Section::reservation:
      return read_macs(body, state.reservation);
    case Section::life:
      if (body.size() != 48) {
        return false;
      }
      state.life = {load_le64(body, 0),  load_le64(body, 8),  load_le64(body, 16),
                    load_le64(body, 24), load_le64(body, 32), load_le64(body, 40)};
      return true;
  }
  return true;
}

}  // namespace

std::vector<std::byte> encode_state(DeviceAddress address, const PersistentState& state) {
  Writer writer;
  writer.bytes(as_byte_span(kMagic));
  writer.u16(kVersion);
  writer.u16(0);
  writer.u32(0);
  writer.section(Section::identity, 20);
  writer.u16(address.shelf.value);
  writer.u16(address.slot.value);
  writer.u64(state.identity);
  writer.u64(state.generation);
  writer.section(Section::config_string, state.config_string.size());
  writer.bytes(state.config_string);
  writer.macs(Section::mask, state.mask);
  writer.macs(Section::reservation, state.reservation);
  writer.section(Section::life, 48);
  for (const std::uint64_t counter :
       {state.life.starts, state.life.powered_on_seconds, state.life.sectors_read,
        state.life.sectors_written, state.life.read_errors, state.life.write_errors}) {
    writer.u64(counter);
  }
  std::vector<std::byte>& out = writer.out();
  store_le32(out, 12, static_cast<std::uint32_t>(out.size() - kHeaderBytes));
  writer.u32(crc32c(out));
  return std::move(out);
}

Result<PersistentState> decode_state(DeviceAddress address, ConstByteSpan bytes) {
  if (bytes.size() < kHeaderBytes + kChecksumBytes) {
    return corrupt(address, "too short");
  }
  if (!equal_bytes(bytes.first(kMagic.size()), as_byte_span(kMagic))) {
    return corrupt(address, "does not begin with \"aoestate\"");
  }
  const ConstByteSpan content = bytes.first(bytes.size() - kChecksumBytes);
  if (crc32c(content) != load_le32(bytes, content.size())) {
    return corrupt(address, "checksum does not match");
  }
  if (load_le16(bytes, 8) != kVersion) {
    return fail_with(Errc::unsupported, 0,
                     to_string(address) + ": state file: version " +
                         std::to_string(load_le16(bytes, 8)) + ", this program knows version " +
                         std::to_string(kVersion));
  }
  ConstByteSpan sections = content.subspan(kHeaderBytes);
  if (load_le32(bytes, 12) != sections.size()) {
    return corrupt(address, "stated length does not match");
  }
  PersistentState state;
  bool has_identity = false;
  while (!sections.empty()) {
    if (sections.size() < kSectionHeaderBytes) {
      return corrupt(address, "a section is cut off");
    }
    const std::uint16_t type = load_le16(sections, 0);
    const std::size_t length = load_le32(sections, 4);
    sections = sections.subspan(kSectionHeaderBytes);
    if (length > sections.size()) {
      return corrupt(address, "a section is cut off");
    }
    if (!read_section(address, type, sections.first(length), state)) {
      return corrupt(address, "a section has impossible content or belongs to another export");
    }
    has_identity = has_identity || type == static_cast<std::uint16_t>(Section::identity);
    sections = sections.subspan(length);
  }
  if (!has_identity) {
    return corrupt(address, "the identity is missing");
  }
  return state;
}

std::string default_serial(const PersistentState& state) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string serial = "AK";
  for (unsigned shift = 64; shift > 0; shift -= 4) {
    serial += kHex[state.identity >> (shift - 4) & 0xFU];
  }
  return serial;
}

std::uint64_t world_wide_name(std::string_view serial) {
  // 60 bits of it behind the NAA nibble.
  return std::uint64_t{3} << 60U | (fnv1a(serial) >> 4U);
}

}  // namespace aoe::target
