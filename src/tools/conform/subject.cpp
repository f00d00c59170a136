#include "tools/conform/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aoe::tools::conform {
namespace {

using protocol::AtaOp;
using protocol::Command;

// Bit 31 is how tools on a host mark their tags (aoeping, aoecfg), and the rest shows a tag that
// was turned round: WinAoE writes its own the other way.
constexpr std::uint32_t kTagFirst = 0x80C0'0001;

constexpr std::size_t kRegistersAt = protocol::kHeaderBytes;

void pad(Bytes& frame) {
  if (frame.size() < protocol::kFrameBytesMin) {
    frame.resize(protocol::kFrameBytesMin, std::byte{Subject::kPadding});
  }
}

std::uint8_t register_of(const Bytes& frame, std::size_t offset) {
  return kRegistersAt + offset < frame.size() ? load_u8(frame, kRegistersAt + offset)
                                              : std::uint8_t{0};
}

protocol::AtaArgument registers_for(AtaOp op, Lba lba, std::uint8_t sectors, std::uint8_t flags) {
  protocol::AtaArgument registers;
  registers.flags = flags;
  registers.sector_count = sectors;
  registers.command_status = static_cast<std::uint8_t>(op);
  registers.set_lba48(lba);
  return registers;
}

}  // namespace

std::string Answer::text() const {
  if (header.is_error) {
    return fmt::format("error {} ({})", header.error, protocol::aoe_error_text(header.error));
  }
  if (header.command != static_cast<std::uint8_t>(Command::ata)) {
    return "ok";
  }
  return fmt::format("status {:02X}h error {:02X}h, {} bytes", ata_status(), ata_error(),
                     frame.size());
}

std::uint8_t Answer::ata_error() const {
  return register_of(frame, 1);
}

std::uint8_t Answer::ata_count() const {
  return register_of(frame, 2);
}

std::uint8_t Answer::ata_status() const {
  return register_of(frame, 3);
}

bool Answer::is_ata_success() const {
  return !header.is_error && frame.size() >= protocol::kAtaHeaderBytes &&
         (ata_status() & protocol::kStatusFailureMask) == 0;
}

bool Answer::is_ata_failure(std::uint8_t error_bit) const {
  return !header.is_error && frame.size() >= protocol::kAtaHeaderBytes &&
         (ata_status() & protocol::kStatusError) != 0 && (ata_error() & error_bit) != 0;
}

ConstByteSpan Answer::data() const {
  return ConstByteSpan(frame).subspan(std::min(frame.size(), protocol::kAtaHeaderBytes));
}

bool Answer::is_aoe_error(protocol::AoeError error) const {
  return header.is_error && header.error == static_cast<std::uint8_t>(error);
}

Subject::Subject(Wire& wire, DeviceAddress address, const MacAddress& mac)
    : wire_(wire), address_(address), mac_(mac), own_mac_(wire.mac()), next_tag_(kTagFirst) {}

bool Subject::learn() {
  const auto config = ask(config_frame(protocol::ConfigCommand::read));
  if (!config || config->header.is_error) {
    return false;
  }
  if (const auto parsed = protocol::parse_config(config->frame)) {
    config_ = *parsed;
    config_string_.assign(parsed->string.begin(), parsed->string.end());
    config_.string = config_string_;
  }
  const auto identify = ask(identify_frame());
  has_disk_ =
      identify && identify->is_ata_success() && identify->data().size() >= protocol::kIdentifyBytes;
  if (has_disk_) {
    identity_ = protocol::parse_identify(identify->data().first(protocol::kIdentifyBytes));
  }
  return true;
}

std::uint8_t Subject::sectors_max() const {
  constexpr std::uint8_t kWhenUnstated = 2;  // what the byte meant before AoEr10: one or two
  const std::uint8_t stated = config_.sector_count == 0 ? kWhenUnstated : config_.sector_count;
  return std::min(stated, protocol::ata_sectors_exact(wire_.mtu_bytes()));
}

protocol::FrameHeader Subject::header(Command command) {
  protocol::FrameHeader header;
  header.destination = mac_;
  header.source = own_mac_;
  header.address = address_;
  header.command = static_cast<std::uint8_t>(command);
  header.tag = Tag{next_tag_++};
  return header;
}

Bytes Subject::frame(const protocol::FrameHeader& header, ConstByteSpan argument) {
  Bytes frame(protocol::kHeaderBytes);
  protocol::build_header(frame, header);
  frame.insert(frame.end(), argument.begin(), argument.end());
  pad(frame);
  return frame;
}

Bytes Subject::ata_frame(const protocol::AtaArgument& registers, ConstByteSpan data) {
  Bytes frame(protocol::kAtaHeaderBytes);
  protocol::build_header(frame, header(Command::ata));
  protocol::build_ata(frame, registers);
  frame.insert(frame.end(), data.begin(), data.end());
  pad(frame);
  return frame;
}

Bytes Subject::read_frame(Lba lba, std::uint8_t sectors) {
  return ata_frame(registers_for(AtaOp::read_ext, lba, sectors, protocol::kAtaFlagExtended));
}

Bytes Subject::write_frame(Lba lba, std::uint8_t sectors, ConstByteSpan data) {
  return ata_frame(registers_for(AtaOp::write_ext, lba, sectors,
                                 protocol::kAtaFlagExtended | protocol::kAtaFlagWrite),
                   data);
}

Bytes Subject::identify_frame() {
  return ata_frame(registers_for(AtaOp::identify, Lba{0}, 1, 0));
}

Bytes Subject::config_frame(protocol::ConfigCommand command, ConstByteSpan string) {
  Bytes frame(protocol::kConfigHeaderBytes + string.size());
  protocol::build_header(frame, header(Command::config));
  protocol::ConfigFrame config;
  config.command = static_cast<std::uint8_t>(command);
  // Above the limit the builder would refuse: the length is written by hand.
  config.string = string.first(std::min(string.size(), protocol::kConfigStringBytesMax));
  protocol::build_config(frame, config);
  store_be16(frame, protocol::kConfigHeaderBytes - 2, static_cast<std::uint16_t>(string.size()));
  std::ranges::copy(string, frame.begin() + protocol::kConfigHeaderBytes);
  pad(frame);
  return frame;
}

Bytes Subject::mask_frame(protocol::MaskCommand command,
                          std::span<const protocol::MaskDirective> directives) {
  Bytes frame(protocol::kMaskHeaderBytes + directives.size() * protocol::kMaskDirectiveBytes);
  protocol::build_header(frame, header(Command::mac_mask));
  protocol::build_mask_request(frame, command, directives);
  pad(frame);
  return frame;
}

Bytes Subject::reserve_frame(protocol::ReserveCommand command, std::span<const MacAddress> macs) {
  Bytes frame(protocol::kReserveHeaderBytes + macs.size() * MacAddress{}.octets.size());
  protocol::build_header(frame, header(Command::reserve));
  protocol::build_reserve(frame, static_cast<std::uint8_t>(command), macs);
  pad(frame);
  return frame;
}

std::vector<Answer> Subject::answers(std::span<const Bytes> frames, Listen listen) {
  std::vector<Answer> list;
  for (Bytes& frame : wire_.ask(frames, listen)) {
    if (const auto header = protocol::parse_header(frame)) {
      list.push_back({*header, std::move(frame)});
    }
  }
  return list;
}

std::optional<Answer> Subject::ask(const Bytes& frame) {
  auto list = answers({&frame, 1}, Listen::until_answered);
  if (list.empty()) {
    return std::nullopt;
  }
  return std::move(list.front());
}

std::vector<Answer> Subject::ask_all(const Bytes& frame) {
  return answers({&frame, 1}, Listen::to_the_end);
}

std::optional<Answer> Subject::ask_maybe(const Bytes& frame) {
  auto list = ask_all(frame);
  if (list.empty()) {
    return std::nullopt;
  }
  return std::move(list.front());
}

std::vector<Answer> Subject::ask_together(std::span<const Bytes> frames) {
  return answers(frames, Listen::sent_once);
}

bool Subject::is_alive() {
  return ask(config_frame(protocol::ConfigCommand::read)).has_value();
}

std::optional<Bytes> Subject::read(Lba lba, std::uint8_t sectors) {
  const std::size_t wanted_bytes = std::size_t{sectors} * kSectorBytes;
  const auto answer = ask(read_frame(lba, sectors));
  if (!answer || !answer->is_ata_success() || answer->data().size() < wanted_bytes) {
    return std::nullopt;
  }
  const ConstByteSpan data = answer->data().first(wanted_bytes);
  return Bytes(data.begin(), data.end());
}

bool Subject::write(Lba lba, std::uint8_t sectors, ConstByteSpan data) {
  const auto answer = ask(write_frame(lba, sectors, data));
  return answer && answer->is_ata_success();
}

std::optional<Bytes> Subject::read_config_string() {
  const auto answer = ask(config_frame(protocol::ConfigCommand::read));
  if (!answer || answer->header.is_error) {
    return std::nullopt;
  }
  const auto parsed = protocol::parse_config(answer->frame);
  if (!parsed) {
    return std::nullopt;
  }
  return Bytes(parsed->string.begin(), parsed->string.end());
}

bool Subject::force_config_string(ConstByteSpan string) {
  const auto answer = ask(config_frame(protocol::ConfigCommand::force_set, string));
  return answer && !answer->header.is_error;
}

std::optional<std::vector<MacAddress>> Subject::read_mask() {
  const auto answer = ask(mask_frame(protocol::MaskCommand::read));
  return answer ? mask_of(*answer) : std::nullopt;
}

std::optional<std::vector<MacAddress>> Subject::read_holders() {
  const auto answer = ask(reserve_frame(protocol::ReserveCommand::read));
  return answer ? holders_of(*answer) : std::nullopt;
}

void set_header(Bytes& frame, const protocol::FrameHeader& header) {
  protocol::build_header(frame, header);
}

std::optional<std::vector<MacAddress>> mask_of(const Answer& answer) {
  if (answer.header.is_error) {
    return std::nullopt;
  }
  const auto parsed = protocol::parse_mask(answer.frame);
  if (!parsed || parsed->error != 0) {
    return std::nullopt;
  }
  std::vector<MacAddress> list;
  for (std::size_t i = 0; i < parsed->size(); ++i) {
    list.push_back(parsed->directive(i).mac);
  }
  return list;
}

std::optional<std::vector<MacAddress>> holders_of(const Answer& answer) {
  if (answer.header.is_error) {
    return std::nullopt;
  }
  const auto parsed = protocol::parse_reserve(answer.frame);
  if (!parsed) {
    return std::nullopt;
  }
  std::vector<MacAddress> list;
  for (std::size_t i = 0; i < parsed->mac_count; ++i) {
    list.push_back(parsed->address(i));
  }
  return list;
}

ConstByteSpan bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace aoe::tools::conform
