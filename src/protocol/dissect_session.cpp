#include "protocol/aoe_session.h"
#include "protocol/dissect_text.h"

namespace aoe::protocol {
namespace {

// The place of a seal whose magic is there, whatever the rest of it says.
std::optional<std::size_t> seal_place(ConstByteSpan frame) {
  const auto offset = seal_offset(frame.size());
  return offset && load_be16(frame, *offset) == kSealMagic ? offset : std::nullopt;
}

const char* kind_text(HelloKind kind) {
  return kind == HelloKind::renew ? "renew" : "hello";
}

std::string capabilities_text(std::uint16_t capabilities) {
  std::string text;
  const auto add = [&text](const char* name) {
    text.append(text.empty() ? "" : ", ").append(name);
  };
  if ((capabilities & kCapabilitySequences) != 0) {
    add("sequences");
  }
  if ((capabilities & kCapabilityCrc) != 0) {
    add("CRC");
  }
  if ((capabilities & ~(kCapabilitySequences | kCapabilityCrc)) != 0) {
    add("unknown");
  }
  return text.empty() ? "none" : text;
}

const char* hello_error_text(HelloError error) {
  switch (error) {
    case HelloError::foreign:
      return "of another vendor";
    case HelloError::damaged:
      return "hello, damaged";
    case HelloError::unsupported:
      return "hello of another version";
  }
  return "unknown";
}

}  // namespace

std::string hello_line(ConstByteSpan frame) {
  const auto hello = parse_hello(frame);
  if (!hello) {
    return "vendor command " + hex_text(kHelloCommand, 2) + " " + hello_error_text(hello.error());
  }
  // In two steps: gcc 12 sees a copy beyond the first string where all is one expression.
  std::string line = kind_text(hello->kind);
  line += " initiator " + hex_text(hello->initiator_instance, 16) + " target " +
          hex_text(hello->target_instance, 16) + " session " + hex_text(hello->session, 8) +
          " capabilities " + capabilities_text(hello->capabilities) + " frame life " +
          std::to_string(hello->frame_life_ms) + " ms window " +
          std::to_string(hello->sequence_window) + " low " + std::to_string(hello->sequence_low) +
          " cache epoch " + hex_text(hello->cache_epoch, 16);
  return line;
}

void add_hello_fields(FieldLines& lines, ConstByteSpan frame, PayloadDetail detail) {
  const auto hello = parse_hello(frame);
  if (!hello) {
    lines.add("argument", hello_error_text(hello.error()));
    add_trailing(lines, frame.subspan(kHeaderBytes), detail);
    return;
  }
  lines.add("hello kind", kind_text(hello->kind));
  lines.add_hex("capabilities", hello->capabilities, 4, capabilities_text(hello->capabilities));
  lines.add_hex("initiator instance", hello->initiator_instance, 16);
  lines.add_hex("target instance", hello->target_instance, 16);
  lines.add_hex("session", hello->session, 8);
  lines.add("frame life ms", hello->frame_life_ms);
  lines.add("sequence window", hello->sequence_window);
  lines.add("sequence low", hello->sequence_low);
  lines.add_hex("cache epoch", hello->cache_epoch, 16);
  add_trailing(lines, frame.subspan(kHelloBytes), detail);
}

ConstByteSpan in_front_of_seal(ConstByteSpan frame) {
  const auto offset = seal_place(frame);
  return offset ? frame.first(*offset) : frame;
}

std::string seal_line(ConstByteSpan frame) {
  if (!seal_place(frame)) {
    return "";
  }
  const auto seal = parse_seal(frame);
  if (!seal) {
    return seal.error() == SealError::damaged ? " seal damaged" : " seal of another version";
  }
  return " seal " + hex_text(seal->session, 8) + " sequence " + std::to_string(seal->sequence) +
         " low " + std::to_string(seal->sequence_low);
}

void add_seal_fields(FieldLines& lines, ConstByteSpan frame) {
  const auto offset = seal_place(frame);
  if (!offset) {
    return;
  }
  const ConstByteSpan bytes = frame.subspan(*offset, kSealBytes);
  const auto seal = parse_seal(frame);
  lines.add("seal version", load_u8(bytes, 2));
  lines.add_hex("seal flags", load_u8(bytes, 3), 2, (load_u8(bytes, 3) & 1U) != 0 ? "CRC" : "");
  lines.add_hex("seal session", load_be32(bytes, 4), 8);
  lines.add("seal sequence", load_be32(bytes, 8));
  lines.add("seal sequence low", load_be32(bytes, 12));
  const bool is_damaged = !seal && seal.error() == SealError::damaged;
  lines.add_hex("seal crc", load_be32(bytes, 16), 8, is_damaged ? "wrong" : "");
}

}  // namespace aoe::protocol
