#include "target/persistent_state.h"

#include "base/fnv1a.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_mac_lists.h"
#include "target/blob.h"

#include <string_view>

namespace aoe::target {
namespace {

constexpr BlobKind kKind{
    .magic = "aoestate",
    .version = 1,
    .name = "state file",
    .hint = "restore it from a backup, or remove it to start with an empty state"};
constexpr std::size_t kMacBytes = 6;

enum class Section : std::uint16_t {
  identity = 1,  // shelf LE16, slot LE16, identity LE64, generation LE64
  config_string = 2,
  mask = 3,
  reservation = 4,
  life = 5,  // six LE64 in the order of LifeCounters
  // Of each: kind, status, hours LE16, zeros LE32, failing sector LE64.
  self_tests = 6,
  crc_errors = 7,  // LE64
};

void write_macs(BlobWriter& writer, Section type, const std::vector<MacAddress>& list) {
  writer.section(static_cast<std::uint16_t>(type));
  for (const MacAddress& mac : list) {
    writer.mac(mac);
  }
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

constexpr std::size_t kSelfTestBytes = 16;

bool read_self_tests(ConstByteSpan body, std::vector<protocol::SmartSelfTest>& tests) {
  if (body.size() % kSelfTestBytes != 0 ||
      body.size() / kSelfTestBytes > protocol::kSmartSelfTestCountMax || !tests.empty()) {
    return false;
  }
  for (std::size_t at = 0; at < body.size(); at += kSelfTestBytes) {
    tests.push_back({.kind = load_u8(body, at),
                     .status = load_u8(body, at + 1),
                     .hours = load_le16(body, at + 2),
                     .failing_lba = load_le64(body, at + 8)});
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
      state.life.starts = load_le64(body, 0);
      state.life.powered_on_seconds = load_le64(body, 8);
      state.life.sectors_read = load_le64(body, 16);
      state.life.sectors_written = load_le64(body, 24);
      state.life.read_errors = load_le64(body, 32);
      state.life.write_errors = load_le64(body, 40);
      return true;
    case Section::self_tests:
      return read_self_tests(body, state.self_tests);
    case Section::crc_errors:
      if (body.size() != 8) {
        return false;
      }
      state.life.crc_errors = load_le64(body, 0);
      return true;
  }
  return true;
}

}  // namespace

std::vector<std::byte> encode_state(DeviceAddress address, const PersistentState& state) {
  BlobWriter writer(kKind);
  writer.section(static_cast<std::uint16_t>(Section::identity));
  writer.u16(address.shelf.value);
  writer.u16(address.slot.value);
  writer.u64(state.identity);
  writer.u64(state.generation);
  writer.section(static_cast<std::uint16_t>(Section::config_string));
  writer.bytes(state.config_string);
  write_macs(writer, Section::mask, state.mask);
  write_macs(writer, Section::reservation, state.reservation);
  writer.section(static_cast<std::uint16_t>(Section::life));
  for (const std::uint64_t counter :
       {state.life.starts, state.life.powered_on_seconds, state.life.sectors_read,
        state.life.sectors_written, state.life.read_errors, state.life.write_errors}) {
    writer.u64(counter);
  }
  writer.section(static_cast<std::uint16_t>(Section::self_tests));
  for (const protocol::SmartSelfTest& test : state.self_tests) {
    writer.u16(static_cast<std::uint16_t>(test.kind | test.status << 8U));
    writer.u16(test.hours);
    writer.u32(0);
    writer.u64(test.failing_lba);
  }
  writer.section(static_cast<std::uint16_t>(Section::crc_errors));
  writer.u64(state.life.crc_errors);
  return writer.finish();
}

Result<PersistentState> decode_state(DeviceAddress address, ConstByteSpan bytes) {
  PersistentState state;
  bool has_identity = false;
  AOE_TRY(read_blob(kKind, address, bytes, [&](std::uint16_t type, ConstByteSpan content) {
    has_identity = has_identity || type == static_cast<std::uint16_t>(Section::identity);
    return read_section(address, type, content, state);
  }));
  if (!has_identity) {
    return fail(blob_error(kKind, address, "the identity is missing"));
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
