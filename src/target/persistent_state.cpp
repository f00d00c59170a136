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
