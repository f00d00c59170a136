#include "target/handover.h"

#include "target/blob.h"

#include <utility>

namespace aoe::target {
namespace {

constexpr BlobKind kKind{.magic = "aoehando",
                         .version = 1,
                         .name = "handover",
                         .hint = "the export starts as after a crash; nothing is lost"};

enum class Section : std::uint16_t {
  export_state = 1,  // shelf, slot LE16, target instance LE64, flags LE16
  session = 2,       // id LE32, instance LE64, capabilities LE16, life LE32, MAC, low LE32, answers
  hosts = 3,         // of each MAC, number LE32, HZ LE32, offset LE16
  stamps = 4,        // of each host LE32, lba LE64, sectors LE32, tag LE32
};

constexpr std::uint16_t kOnline = 1;
constexpr std::uint16_t kWriteCacheOff = 2;

constexpr std::size_t kExportBytes = 14;
constexpr std::size_t kSessionBytes = 28;
// sequence, header CRC, content CRC and bytes LE32, error, flags, feature, count, status, lba (6)
constexpr std::size_t kAnswerBytes = 27;
constexpr std::size_t kHostBytes = 16;
constexpr std::size_t kStampBytes = 20;

void write_answer(BlobWriter& writer, const DuplicateFilter::Remembered& remembered) {
  writer.u32(remembered.sequence);
  writer.u32(remembered.digest.header_crc);
  writer.u32(remembered.digest.content_crc);
  writer.u32(remembered.digest.content_bytes);
  const protocol::AtaArgument& registers = remembered.answer.registers;
  writer.u8(static_cast<std::uint8_t>(remembered.answer.error));
  writer.u8(registers.flags);
  writer.u8(registers.feature_error);
  writer.u8(registers.sector_count);
  writer.u8(registers.command_status);
  for (const std::uint8_t octet : registers.lba) {
    writer.u8(octet);
  }
}

std::uint8_t octet(ConstByteSpan bytes, std::size_t at) {
  return std::to_integer<std::uint8_t>(bytes[at]);
}

DuplicateFilter::Remembered read_answer(ConstByteSpan bytes) {
  DuplicateFilter::Remembered remembered;
  remembered.sequence = load_le32(bytes, 0);
  remembered.digest.header_crc = load_le32(bytes, 4);
  remembered.digest.content_crc = load_le32(bytes, 8);
  remembered.digest.content_bytes = load_le32(bytes, 12);
  remembered.answer.error = static_cast<protocol::AoeError>(octet(bytes, 16));
  remembered.answer.registers.flags = octet(bytes, 17);
  remembered.answer.registers.feature_error = octet(bytes, 18);
  remembered.answer.registers.sector_count = octet(bytes, 19);
  remembered.answer.registers.command_status = octet(bytes, 20);
  for (std::size_t i = 0; i < remembered.answer.registers.lba.size(); ++i) {
    remembered.answer.registers.lba[i] = octet(bytes, 21 + i);
  }
  return remembered;
}

bool read_session(ConstByteSpan bytes, Handover& handover) {
  if (bytes.size() < kSessionBytes || (bytes.size() - kSessionBytes) % kAnswerBytes != 0) {
    return false;
  }
  Handover::Session session;
  session.id = load_le32(bytes, 0);
  session.initiator_instance = load_le64(bytes, 4);
  session.capabilities = load_le16(bytes, 12);
  session.frame_life_ms = load_le32(bytes, 14);
  session.last_source = load_mac(bytes, 18);
  session.low = load_le32(bytes, 24);
  for (std::size_t at = kSessionBytes; at < bytes.size(); at += kAnswerBytes) {
    session.answers.push_back(read_answer(bytes.subspan(at, kAnswerBytes)));
  }
  handover.sessions.push_back(std::move(session));
  return handover.sessions.back().id != 0;
}

bool read_hosts(ConstByteSpan bytes, Handover& handover) {
  for (std::size_t at = 0; at + kHostBytes <= bytes.size(); at += kHostBytes) {
    handover.hosts.push_back(
        {.mac = load_mac(bytes, at),
         .number = load_le32(bytes, at + 6),
         .clock = {.hz = load_le32(bytes, at + 10), .offset = load_le16(bytes, at + 14)}});
  }
  return bytes.size() % kHostBytes == 0;
}

bool read_stamps(ConstByteSpan bytes, Handover& handover) {
  for (std::size_t at = 0; at + kStampBytes <= bytes.size(); at += kStampBytes) {
    const Handover::Stamp stamp{.host = load_le32(bytes, at),
                                .lba = Lba{load_le64(bytes, at + 4)},
                                .sectors = load_le32(bytes, at + 12),
                                .stamp = Tag{load_le32(bytes, at + 16)}};
    if (stamp.sectors == 0 || stamp.sectors > 65'536 || stamp.lba.value >= kLbaLimit) {
      return false;
    }
    handover.stamps.push_back(stamp);
  }
  return bytes.size() % kStampBytes == 0;
}

bool read_section(DeviceAddress address, std::uint16_t type, ConstByteSpan bytes,
                  Handover& handover) {
  switch (static_cast<Section>(type)) {
    case Section::export_state: {
      if (bytes.size() != kExportBytes || load_le16(bytes, 0) != address.shelf.value ||
          load_le16(bytes, 2) != address.slot.value) {
        return false;
      }
      handover.target_instance = load_le64(bytes, 4);
      const std::uint16_t flags = load_le16(bytes, 12);
      handover.is_online = (flags & kOnline) != 0;
      handover.is_write_cache_off = (flags & kWriteCacheOff) != 0;
      return handover.target_instance != 0;
    }
    case Section::session:
      return read_session(bytes, handover);
    case Section::hosts:
      return read_hosts(bytes, handover);
    case Section::stamps:
      return read_stamps(bytes, handover);
  }
  return true;
}

}  // namespace

std::vector<std::byte> encode_handover(DeviceAddress address, const Handover& handover) {
  BlobWriter writer(kKind);
  const auto begin = [&writer](Section type) { writer.section(static_cast<std::uint16_t>(type)); };
  begin(Section::export_state);
  writer.u16(address.shelf.value);
  writer.u16(address.slot.value);
  writer.u64(handover.target_instance);
  writer.u16(static_cast<std::uint16_t>((handover.is_online ? kOnline : 0) |
                                        (handover.is_write_cache_off ? kWriteCacheOff : 0)));
  for (const Handover::Session& session : handover.sessions) {
    begin(Section::session);
    writer.u32(session.id);
    writer.u64(session.initiator_instance);
    writer.u16(session.capabilities);
    writer.u32(session.frame_life_ms);
    writer.mac(session.last_source);
    writer.u32(session.low);
    for (const DuplicateFilter::Remembered& remembered : session.answers) {
      write_answer(writer, remembered);
    }
  }
  begin(Section::hosts);
  for (const Handover::Host& host : handover.hosts) {
    writer.mac(host.mac);
    writer.u32(host.number);
    writer.u32(host.clock.hz);
    writer.u16(host.clock.offset);
  }
  begin(Section::stamps);
  for (const Handover::Stamp& stamp : handover.stamps) {
    writer.u32(stamp.host);
    writer.u64(stamp.lba.value);
    writer.u32(stamp.sectors);
    writer.u32(stamp.stamp.value);
  }
  return writer.finish();
}

Result<Handover> decode_handover(DeviceAddress address, ConstByteSpan bytes) {
  Handover handover;
  AOE_TRY(read_blob(kKind, address, bytes, [&](std::uint16_t type, ConstByteSpan content) {
    return read_section(address, type, content, handover);
  }));
  if (handover.target_instance == 0) {
    return fail(blob_error(kKind, address, "the target's instance is missing"));
  }
  return handover;
}

}  // namespace aoe::target
