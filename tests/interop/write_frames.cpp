// Writes a capture with every kind of frame that our builders make, for both roles, and beside it
// what was put in, for tshark_fields.py to compare with what Wireshark's dissector reads.
//
//   write_frames FRAMES.pcap EXPECTED
//
// EXPECTED has one line a frame: "field=number" pairs for Wireshark's fields, and
// "@offset=hexbytes" for arguments it has no fields for (offset from byte 14 of the frame, as the
// filter aoe[offset] counts).
#include "net/pcap_file.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_mac_lists.h"
#include "protocol/ata_command.h"
#include "protocol/ata_identify.h"
#include "protocol/ata_registers.h"
#include "protocol/ata_smart.h"
#include "protocol/ata_trim.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::protocol {
namespace {

constexpr MacAddress kClient{{0x02, 0, 0, 0, 0, 1}};
constexpr MacAddress kTarget{{0x02, 0, 0, 0, 0x0A, 0x10}};
constexpr DeviceAddress kAddress{Shelf{0x1234}, Slot{0x56}};

std::string hex(ConstByteSpan bytes) {
  std::string text;
  for (const std::byte b : bytes) {
    for (const unsigned nibble :
         {std::to_integer<unsigned>(b) >> 4U, std::to_integer<unsigned>(b) & 0xFU}) {
      text += "0123456789abcdef"[nibble];
    }
  }
  return text;
}

class Script {
 public:
  Script(net::PcapWriter& pcap, const std::string& expected) : pcap_(pcap), expected_(expected) {}

  // A request with the next tag; replies to it follow with reply().
  FrameHeader request(Command command) {
    ++tag_;
    return {.destination = kTarget,
            .source = kClient,
            .address = kAddress,
            .command = static_cast<std::uint8_t>(command),
            .tag = Tag{tag_ << 16U | 0xBEEFU}};
  }

  void ata_request(const FrameHeader& header, const AtaArgument& argument,
                   ConstByteSpan data = {}) {
    ata(header, argument, data);
    number("aoe.ata.cmd", argument.command_status);
    finish();
    request_ = argument;
    request_number_ = frame_count_;
  }

  // To the ATA request just before. Wireshark matches the two and shows the opcode again.
  void ata_reply(const FrameHeader& request, const AtaArgument& argument, ConstByteSpan data = {}) {
    ata(reply_header(request, kTarget, kAddress), argument, data);
    number("aoe.ata.status", argument.command_status);
    number("aoe.ata.cmd", request_.command_status);
    number("aoe.response_to", request_number_);
    finish();
  }

  void config(const FrameHeader& header, const ConfigFrame& config) {
    begin(header, kConfigHeaderBytes + config.string.size());
    build_config(frame_, config);
    std::vector<std::byte> fixed(8);
    store_be16(fixed, 0, config.buffer_count);
    store_be16(fixed, 2, config.firmware_version);
    store_u8(fixed, 4, config.sector_count);
    store_u8(fixed, 5, static_cast<std::uint8_t>(config.protocol_version * 16 + config.command));
    store_be16(fixed, 6, static_cast<std::uint16_t>(config.string.size()));
    slice(10, fixed);
    slice(18, config.string);
    finish();
  }

  void mask_request(const FrameHeader& header, MaskCommand command,
                    std::span<const MaskDirective> directives) {
    begin(header, kMaskHeaderBytes + directives.size() * kMaskDirectiveBytes);
    build_mask_request(frame_, command, directives);
    slice(10,
          bytes({0, static_cast<unsigned>(command), 0, static_cast<unsigned>(directives.size())}));
    for (std::size_t i = 0; i < directives.size(); ++i) {
      slice(14 + 8 * i, bytes({0, directives[i].action}));
      mac(16 + 8 * i, directives[i].mac);
    }
    finish();
  }

  void mask_reply(const FrameHeader& header, const MaskReply& reply) {
    begin(header, kMaskHeaderBytes + reply.list.size() * kMaskDirectiveBytes);
    build_mask_reply(frame_, reply);
    const std::size_t count =
        reply.error == MaskError::none ? reply.list.size() : reply.failed_index;
    slice(10, bytes({0, static_cast<unsigned>(reply.command), static_cast<unsigned>(reply.error),
                     static_cast<unsigned>(count)}));
    for (std::size_t i = 0; i < reply.list.size(); ++i) {
      slice(14 + 8 * i, bytes({0, 0}));
      mac(16 + 8 * i, reply.list[i]);
    }
    finish();
  }

  void reserve(const FrameHeader& header, ReserveCommand command,
               std::span<const MacAddress> list) {
    begin(header, kReserveHeaderBytes + list.size() * 6);
    build_reserve(frame_, static_cast<std::uint8_t>(command), list);
    slice(10, bytes({static_cast<unsigned>(command), static_cast<unsigned>(list.size())}));
    for (std::size_t i = 0; i < list.size(); ++i) {
      mac(12 + 6 * i, list[i]);
    }
    finish();
  }

  // No more than a header: unknown and vendor commands and their refusals.
  void bare(const FrameHeader& header) {
    begin(header, kHeaderBytes);
    finish();
  }

  [[nodiscard]] bool finished() {
    return is_written_ && pcap_.flush().has_value() && static_cast<bool>(expected_.flush());
  }

 private:
  static std::vector<std::byte> bytes(std::initializer_list<unsigned> values) {
    std::vector<std::byte> list;
    for (const unsigned value : values) {
      list.push_back(static_cast<std::byte>(value));
    }
    return list;
  }

  void begin(const FrameHeader& header, std::size_t frame_bytes) {
    frame_.assign(std::max(frame_bytes, kFrameBytesMin), std::byte{0});
    build_header(frame_, header);
    line_.clear();
    number("frame.len", frame_.size());
    text("eth.dst", to_string(header.destination));
    text("eth.src", to_string(header.source));
    number("aoe.version", header.version);
    number("aoe.response", header.is_response ? 1 : 0);
    number("aoe.flags_error", header.is_error ? 1 : 0);
    if (header.is_error) {
      number("aoe.error", header.error);
    }
    number("aoe.major", header.address.shelf.value);
    number("aoe.minor", header.address.slot.value);
    number("aoe.cmd", header.command);
    number("aoe.tag", header.tag.value);
  }

  void ata(const FrameHeader& header, const AtaArgument& argument, ConstByteSpan data) {
    begin(header, kAtaHeaderBytes + data.size());
    build_ata(frame_, argument);
    copy_bytes(ByteSpan(frame_).subspan(kAtaHeaderBytes), data);
    number("aoe.aflags.e", argument.is_extended() ? 1 : 0);
    if (argument.is_extended()) {
      number("aoe.aflags.d", (argument.flags & kAtaFlagDevice) != 0 ? 1 : 0);
    }
    number("aoe.aflags.w", argument.has_write_flag() ? 1 : 0);
    if (argument.has_write_flag()) {
      number("aoe.aflags.a", (argument.flags & kAtaFlagAsync) != 0 ? 1 : 0);
    }
    number("aoe.err_feature", argument.feature_error);
    number("aoe.sector_count", argument.sector_count);
    number("aoe.lba", argument.lba48().value);
    slice(22, data);
  }

  void mac(std::size_t offset, const MacAddress& address) {
    slice(offset, std::as_bytes(std::span(address.octets)));
  }

  void number(std::string_view field, std::uint64_t value) { text(field, std::to_string(value)); }

  void text(std::string_view field, const std::string& value) {
    line_ += (line_.empty() ? "" : " ") + std::string(field) + "=" + value;
  }

  void slice(std::size_t offset, ConstByteSpan value) {
    if (!value.empty()) {
      text("@" + std::to_string(offset), hex(value));
    }
  }

  void finish() {
    // One millisecond after the one before.
    is_written_ = pcap_.write(std::int64_t{++frame_count_} * 1'000'000, frame_) && is_written_;
    expected_ << line_ << "\n";
  }

  net::PcapWriter& pcap_;
  std::ofstream expected_;
  std::vector<std::byte> frame_;
  std::string line_;
  AtaArgument request_;
  bool is_written_ = true;
  std::uint32_t frame_count_ = 0;
  std::uint32_t request_number_ = 0;
  std::uint32_t tag_ = 0;
};

std::vector<std::byte> pattern(std::size_t sectors) {
  std::vector<std::byte> data(sectors * kSectorBytes);
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i] = static_cast<std::byte>(i * 7 + i / kSectorBytes);
  }
  return data;
}

AtaArgument command(AtaOp opcode, std::uint8_t count, Lba lba = {}, std::uint8_t feature = 0) {
  const AtaOpcode& entry = find_opcode(static_cast<std::uint8_t>(opcode));
  AtaArgument argument{.feature_error = feature,
                       .sector_count = count,
                       .command_status = static_cast<std::uint8_t>(opcode)};
  if (entry.width == AddressWidth::lba48) {
    argument.flags |= kAtaFlagExtended;
    argument.set_lba48(lba);
  } else {
    argument.set_lba28(lba);
  }
  if (entry.direction == DataDirection::out) {
    argument.flags |= kAtaFlagWrite;
  }
  return argument;
}

AtaArgument answer(AtaArgument request, AtaOutcome outcome = kAtaOk) {
  request.sector_count = 0;
  request.feature_error = outcome.error;
  request.command_status = outcome.status;
  return request;
}

void write_config(Script& script) {
  FrameHeader query = script.request(Command::config);
  query.destination = MacAddress::broadcast();
  query.address = {kAllShelves, kAllSlots};
  script.config(query, {.protocol_version = 1});
  const std::string longest(kConfigStringBytesMax, '\xA7');
  const ConfigFrame state{.buffer_count = 0xFEDC,
                          .firmware_version = 0x4019,
                          .sector_count = 16,
                          .protocol_version = 1,
                          .command = 0,
                          .string = as_byte_span(longest)};
  script.config(reply_header(query, kTarget, kAddress), state);
  for (unsigned sub_command = 0; sub_command <= 4; ++sub_command) {
    const FrameHeader header = script.request(Command::config);
    ConfigFrame argument{.protocol_version = 1,
                         .command = static_cast<std::uint8_t>(sub_command),
                         .string = as_byte_span("hello")};
    script.config(header, argument);
    argument.buffer_count = 24;
    argument.firmware_version = 2;
    argument.sector_count = 2;
    script.config(reply_header(header, kTarget, kAddress), argument);
  }
  FrameHeader advertisement = reply_header(query, kTarget, kAddress);
  advertisement.destination = MacAddress::broadcast();
  advertisement.tag = Tag{0};
  script.config(advertisement, {.buffer_count = 16, .sector_count = 2, .protocol_version = 1});
}

void write_reads_and_writes(Script& script) {
  struct Transfer {
    AtaOp opcode = AtaOp::read;
    std::uint8_t count = 0;
    Lba lba{};
  };

  for (const Transfer& transfer : {
           Transfer{AtaOp::read, 1, Lba{0x0ABC'DEF1}},
           Transfer{AtaOp::read_ext, 2, Lba{0x1FFFE}},
           Transfer{AtaOp::read_ext, 17, Lba{kLbaLimit - 17}},
           Transfer{AtaOp::write, 1, Lba{kLba28Limit - 1}},
           Transfer{AtaOp::write_ext, 2, Lba{0x0605'0403'0201}},
           Transfer{AtaOp::write_dma_fua_ext, 16, Lba{7}},
       }) {
    const FrameHeader header = script.request(Command::ata);
    const AtaArgument argument = command(transfer.opcode, transfer.count, transfer.lba);
    const auto data = pattern(transfer.count);
    const bool is_write = argument.has_write_flag();
    script.ata_request(header, argument, is_write ? ConstByteSpan(data) : ConstByteSpan());
    script.ata_reply(header, answer(argument), is_write ? ConstByteSpan() : ConstByteSpan(data));
  }
  AtaArgument asynchronous = command(AtaOp::write_ext, 1, Lba{1});
  asynchronous.flags |= kAtaFlagAsync | kAtaFlagDevice;
  script.ata_request(script.request(Command::ata), asynchronous, pattern(1));
  for (const AtaOutcome outcome :
       {kAtaAborted, kAtaIdNotFound, kAtaUncorrectable, kAtaDeviceFault}) {
    const FrameHeader header = script.request(Command::ata);
    const AtaArgument argument = command(AtaOp::read_ext, 2, Lba{0x31FFF});
    script.ata_request(header, argument);
    script.ata_reply(header, answer(argument, outcome));
  }
}

void write_other_ata(Script& script) {
  std::vector<std::byte> sector(kSectorBytes);
  const auto exchange = [&](const AtaArgument& argument, ConstByteSpan out, ConstByteSpan in) {
    const FrameHeader header = script.request(Command::ata);
    script.ata_request(header, argument, out);
    script.ata_reply(header, answer(argument), in);
  };
  build_identify(sector, {.serial = "1", .model = "aoekit", .sector_count = 204800});
  exchange(command(AtaOp::identify, 1), {}, sector);
  build_trim(sector, std::array<TrimRange, 1>{TrimRange{Lba{2048}, 256}});
  exchange(command(AtaOp::data_set_management, 1, {}, kDataSetManagementTrim), sector, {});
  exchange(command(AtaOp::flush, 0), {}, {});
  exchange(command(AtaOp::flush_ext, 0), {}, {});
  exchange(command(AtaOp::check_power, 0), {}, {});
  exchange(command(AtaOp::set_features, 0, {}, 0x82), {}, {});
  exchange(command(AtaOp::read_native_max_ext, 0), {}, {});
  AtaArgument smart =
      command(AtaOp::smart, 1, {}, static_cast<std::uint8_t>(SmartFeature::read_data));
  smart.lba[1] = kSmartSignatureMid;
  smart.lba[2] = kSmartSignatureHigh;
  build_smart_data(sector, {.power_on_hours = 12});
  exchange(smart, {}, sector);
  smart.feature_error = static_cast<std::uint8_t>(SmartFeature::return_status);
  exchange(smart, {}, {});
}

void write_lists(Script& script) {
  std::vector<MacAddress> macs(248, kClient);
  std::vector<MaskDirective> directives;
  for (std::size_t i = 0; i < macs.size(); ++i) {
    macs[i].octets[5] = static_cast<std::uint8_t>(i);
    directives.push_back({.action = static_cast<std::uint8_t>(i % 3), .mac = macs[i]});
  }
  const std::span<const MaskDirective> edits(directives);
  const std::span<const MacAddress> list(macs);
  const FrameHeader mask = script.request(Command::mac_mask);
  script.mask_request(mask, MaskCommand::read, {});
  for (const std::size_t count : {1U, 2U, 185U}) {  // as many as fit an MTU of 1500
    script.mask_request(script.request(Command::mac_mask), MaskCommand::edit, edits.first(count));
    script.mask_reply(reply_header(mask, kTarget, kAddress),
                      {.command = MaskCommand::edit, .list = list.first(count)});
  }
  script.mask_reply(
      reply_header(mask, kTarget, kAddress),
      {.command = MaskCommand::edit, .error = MaskError::list_full, .failed_index = 42});
  for (const ReserveCommand sub_command :
       {ReserveCommand::read, ReserveCommand::set, ReserveCommand::force_set}) {
    for (const std::size_t count : {0U, 1U, 248U}) {
      const FrameHeader header = script.request(Command::reserve);
      script.reserve(header, sub_command, list.first(count));
      script.reserve(reply_header(header, kTarget, kAddress), sub_command, list.first(count));
    }
  }
}

void write_refusals(Script& script) {
  for (const unsigned code : {0x04U, 0x7FU, 0xF0U, 0xFFU}) {
    FrameHeader header = script.request(Command::ata);
    header.command = static_cast<std::uint8_t>(code);
    script.bare(header);
    FrameHeader reply = reply_header(header, kTarget, kAddress);
    reply.is_error = true;
    reply.error = static_cast<std::uint8_t>(AoeError::unknown_command);
    script.bare(reply);
  }
  const FrameHeader header = script.request(Command::ata);
  const AtaArgument argument = command(AtaOp::write_ext, 1, Lba{9});
  script.ata_request(header, argument, pattern(1));
  for (unsigned code = 1; code <= 6; ++code) {
    FrameHeader reply = reply_header(script.request(Command::config), kTarget, kAddress);
    reply.is_error = true;
    reply.error = static_cast<std::uint8_t>(code);
    script.config(reply, {.buffer_count = 16, .protocol_version = 1, .command = 3});
  }
}

}  // namespace
}  // namespace aoe::protocol

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: write_frames FRAMES.pcap EXPECTED\n");
    return 2;
  }
  const auto pcap = aoe::net::PcapWriter::create({.path = argv[1]});
  if (!pcap) {
    std::fprintf(stderr, "write_frames: %s\n", pcap.error().message.c_str());
    return 1;
  }
  aoe::protocol::Script script(**pcap, argv[2]);
  aoe::protocol::write_config(script);
  aoe::protocol::write_reads_and_writes(script);
  aoe::protocol::write_other_ata(script);
  aoe::protocol::write_lists(script);
  aoe::protocol::write_refusals(script);
  return script.finished() ? 0 : 1;
}
