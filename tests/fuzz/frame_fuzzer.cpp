// Any bytes as a frame: every parser, both decoders, and what parses must build back to something
// that parses to the same values.
#include "base/check.h"
#include "fuzz/fuzz_entry.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_mac_lists.h"
#include "protocol/aoe_session.h"
#include "protocol/dissect.h"

#include <array>
#include <vector>

namespace aoe::protocol {
namespace {

// A frame with the response flag of the original, whose meaning some arguments depend on, and dirty
// bytes where the builder is to write.
std::vector<std::byte> blank_like(ConstByteSpan frame, std::size_t bytes) {
  std::vector<std::byte> blank(bytes, std::byte{0xEE});
  copy_bytes(blank, frame.first(kHeaderBytes));
  return blank;
}

void check_header(ConstByteSpan frame) {
  const auto header = parse_header(frame);
  if (!header) {
    return;
  }
  std::array<std::byte, kHeaderBytes> built{};
  build_header(built, *header);
  AOE_CHECK(parse_header(built) == *header, "a header builds back");
  const FrameHeader reply = reply_header(*header, {{2, 0, 0, 0, 0, 1}}, {Shelf{7}, Slot{1}});
  AOE_CHECK(reply.tag == header->tag && reply.destination == header->source && !reply.is_error,
            "a reply goes back with its tag and without a stale error");
}

void check_ata(ConstByteSpan frame) {
  const auto ata = parse_ata(frame);
  if (!ata) {
    return;
  }
  auto built = blank_like(frame, kAtaHeaderBytes);
  build_ata(built, ata->argument);
  AOE_CHECK(parse_ata(built)->argument == ata->argument, "an ATA argument builds back");
  AtaArgument argument = ata->argument;
  argument.set_lba28(argument.lba28());
  AOE_CHECK(argument.lba28() == ata->argument.lba28(), "28 bits survive the device register");
}

void check_config(ConstByteSpan frame) {
  const auto config = parse_config(frame);
  if (!config) {
    return;
  }
  auto built = blank_like(frame, kConfigHeaderBytes + config->string.size());
  AOE_CHECK(build_config(built, *config) == built.size(), "the length is the argument's");
  const auto again = parse_config(built);
  AOE_CHECK(again && again->buffer_count == config->buffer_count &&
                again->firmware_version == config->firmware_version &&
                again->sector_count == config->sector_count &&
                again->protocol_version == config->protocol_version &&
                again->command == config->command && equal_bytes(again->string, config->string),
            "a config argument builds back");
}

void check_mask(ConstByteSpan frame) {
  const auto mask = parse_mask(frame);
  if (!mask) {
    return;
  }
  std::vector<MaskDirective> directives;
  std::vector<MacAddress> macs;
  for (std::size_t i = 0; i < mask->size(); ++i) {
    directives.push_back(mask->directive(i));
    macs.push_back(directives.back().mac);
  }
  const auto command = static_cast<MaskCommand>(mask->command);
  auto built = blank_like(frame, kMaskHeaderBytes + mask->directives.size());
  AOE_CHECK(build_mask_request(built, command, directives) == built.size(), "every directive");
  const auto request = parse_mask(built);
  AOE_CHECK(request && request->size() == mask->size(), "a mask request builds back");
  for (std::size_t i = 0; i < request->size(); ++i) {
    AOE_CHECK(request->directive(i).action == directives[i].action &&
                  request->directive(i).mac == directives[i].mac,
              "a directive builds back");
  }
  AOE_CHECK(build_mask_reply(built, {.command = command,
                                     .error = static_cast<MaskError>(mask->error),
                                     .failed_index = mask->directive_count,
                                     .list = macs}) <= built.size(),
            "a reply is no longer than its list");
}

void check_reserve(ConstByteSpan frame) {
  const auto reserve = parse_reserve(frame);
  if (!reserve) {
    return;
  }
  std::vector<MacAddress> macs;
  for (std::size_t i = 0; i < reserve->mac_count; ++i) {
    macs.push_back(reserve->address(i));
  }
  auto built = blank_like(frame, kReserveHeaderBytes + reserve->addresses.size());
  AOE_CHECK(build_reserve(built, reserve->command, macs) == built.size(), "every address");
  const auto again = parse_reserve(built);
  AOE_CHECK(again && again->command == reserve->command &&
                equal_bytes(again->addresses, reserve->addresses),
            "a reserve argument builds back");
}

// No mutation finds a CRC: what a parser refuses for its CRC is built again with the right one.
void check_hello(ConstByteSpan frame) {
  static_cast<void>(parse_hello(frame));
  if (frame.size() < kHelloBytes) {
    return;
  }
  const Hello hello{.capabilities = load_be16(frame, 30),
                    .initiator_instance = load_be64(frame, 32),
                    .target_instance = load_be64(frame, 40),
                    .session = load_be32(frame, 48),
                    .frame_life_ms = load_be32(frame, 52),
                    .sequence_window = load_be32(frame, 56),
                    .sequence_low = load_be32(frame, 60)};
  auto built = blank_like(frame, kHelloBytes);
  build_hello(built, hello);
  AOE_CHECK(*parse_hello(built) == hello, "a hello builds back");
  AOE_CHECK(!dissect_line(built).empty() && !dissect_fields(built).empty(), "and has a text");
}

void check_seal(ConstByteSpan frame) {
  static_cast<void>(parse_seal(frame));
  const auto offset = seal_offset(frame.size());
  if (!offset) {
    return;
  }
  const Seal seal{.has_crc = (load_u8(frame, *offset) & 1U) != 0,
                  .session = load_be32(frame, *offset + 4),
                  .sequence = load_be32(frame, *offset + 8),
                  .sequence_low = load_be32(frame, *offset + 12)};
  std::vector<std::byte> built(frame.begin(), frame.end());
  build_seal(built, seal);
  AOE_CHECK(*parse_seal(built) == seal, "a seal builds back");
  AOE_CHECK(equal_bytes(without_seal(built), frame.first(*offset)), "a seal covers nothing up");
  AOE_CHECK(!dissect_line(built).empty() && !dissect_fields(built).empty(), "and has a text");
}

void check_text(ConstByteSpan frame) {
  DissectOptions options{.payload = PayloadDetail::hex};
  AOE_CHECK(!dissect_line(frame, options).empty(), "every input has a line");
  AOE_CHECK(!dissect_fields(frame, options).empty(), "every input has fields");
  if (frame.size() < 12) {
    return;
  }
  // The last bytes double as the request that is said to have been answered.
  std::array<std::byte, kAtaHeaderBytes> claimed{};
  copy_bytes(ByteSpan(claimed).subspan(24), frame.last(12));
  options.request = parse_ata(claimed)->argument;
  options.payload = PayloadDetail::decoded;
  AOE_CHECK(!dissect_line(frame, options).empty(), "whatever was asked");
  AOE_CHECK(!dissect_fields(frame, options).empty(), "whatever was asked");
}

}  // namespace
}  // namespace aoe::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const aoe::ConstByteSpan frame = std::as_bytes(std::span(data, size));
  aoe::protocol::check_header(frame);
  aoe::protocol::check_ata(frame);
  aoe::protocol::check_config(frame);
  aoe::protocol::check_mask(frame);
  aoe::protocol::check_reserve(frame);
  aoe::protocol::check_hello(frame);
  aoe::protocol::check_seal(frame);
  aoe::protocol::check_text(frame);
  return 0;
}
