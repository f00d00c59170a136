#include "support/frame_builder.h"

#include "protocol/ata_command.h"
#include "protocol/ata_trim.h"

#include <algorithm>
#include <utility>

namespace aoe::test {

using protocol::AtaArgument;
using protocol::Command;

Bytes pattern(std::size_t count, std::uint8_t seed) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::byte>((seed * 37U + i * 7U + i / 512 * 11U) & 0xFFU);
  }
  return bytes;
}

Bytes text_bytes(std::string_view text) {
  const ConstByteSpan span = as_byte_span(text);
  return {span.begin(), span.end()};
}

FrameBuilder FrameBuilder::command(std::uint8_t code) {
  FrameBuilder builder;
  builder.header_.destination = kTargetMac;
  builder.header_.source = kInitiatorA;
  builder.header_.address = kE71;
  builder.header_.command = code;
  builder.header_.tag = Tag{1};
  return builder;
}

FrameBuilder FrameBuilder::ata(std::uint8_t opcode, std::uint64_t lba, std::uint8_t count) {
  FrameBuilder builder = command(static_cast<std::uint8_t>(Command::ata));
  const protocol::AtaOpcode& entry = protocol::find_opcode(opcode);
  AtaArgument argument;
  argument.command_status = opcode;
  argument.sector_count = count;
  if (entry.width == protocol::AddressWidth::lba48) {
    argument.flags = protocol::kAtaFlagExtended;
    argument.set_lba48(Lba{lba});
  } else {
    argument.set_lba28(Lba{lba});
  }
  if (entry.direction == protocol::DataDirection::out) {
    argument.flags |= protocol::kAtaFlagWrite;
    builder.argument_ = pattern(std::size_t{count} * kSectorBytes, 1);
  }
  builder.ata_ = argument;
  return builder;
}

FrameBuilder FrameBuilder::write(std::uint64_t lba, Bytes data) {
  FrameBuilder builder = ata(0x34, lba, static_cast<std::uint8_t>(data.size() / kSectorBytes));
  builder.argument_ = std::move(data);
  return builder;
}

FrameBuilder FrameBuilder::smart(std::uint8_t feature) {
  FrameBuilder builder = ata(0xB0, 0, 1);
  builder.ata_->feature_error = feature;
  builder.ata_->lba = {0, protocol::kSmartSignatureMid, protocol::kSmartSignatureHigh, 0, 0, 0};
  return builder;
}

FrameBuilder FrameBuilder::trim(const std::vector<TrimEntry>& entries) {
  std::vector<protocol::TrimRange> ranges;
  ranges.reserve(entries.size());
  for (const TrimEntry& entry : entries) {
    ranges.push_back({.first = Lba{entry.lba}, .sector_count = entry.sectors});
  }
  const std::size_t blocks = std::max<std::size_t>(protocol::trim_blocks(ranges.size()), 1);
  FrameBuilder builder = ata(0x06, 0, static_cast<std::uint8_t>(blocks));
  builder.ata_->feature_error = protocol::kDataSetManagementTrim;
  builder.argument_.assign(blocks * kSectorBytes, std::byte{});
  protocol::build_trim(builder.argument_, ranges);
  return builder;
}

FrameBuilder FrameBuilder::config(protocol::ConfigCommand command_code, std::string_view string) {
  FrameBuilder builder = command(static_cast<std::uint8_t>(Command::config));
  // By hand, because build_config refuses strings that are too long.
  builder.argument_.assign(protocol::kConfigHeaderBytes - protocol::kHeaderBytes, std::byte{});
  store_u8(builder.argument_, 5,
           static_cast<std::uint8_t>(0x10U | (static_cast<unsigned>(command_code) & 0xFU)));
  store_be16(builder.argument_, 6, static_cast<std::uint16_t>(string.size()));
  const Bytes text = text_bytes(string);
  builder.argument_.insert(builder.argument_.end(), text.begin(), text.end());
  return builder;
}

FrameBuilder FrameBuilder::mask_read() {
  FrameBuilder builder = command(static_cast<std::uint8_t>(Command::mac_mask));
  builder.argument_.assign(protocol::kMaskHeaderBytes - protocol::kHeaderBytes, std::byte{});
  return builder;
}

FrameBuilder FrameBuilder::mask_edit(const std::vector<protocol::MaskDirective>& directives) {
  FrameBuilder builder = command(static_cast<std::uint8_t>(Command::mac_mask));
  Bytes frame(protocol::kMaskHeaderBytes + directives.size() * protocol::kMaskDirectiveBytes);
  protocol::build_mask_request(frame, protocol::MaskCommand::edit, directives);
  builder.argument_.assign(frame.begin() + protocol::kHeaderBytes, frame.end());
  return builder;
}

FrameBuilder FrameBuilder::reserve(protocol::ReserveCommand command_code,
                                   const std::vector<MacAddress>& list) {
  FrameBuilder builder = command(static_cast<std::uint8_t>(Command::reserve));
  Bytes frame(protocol::kReserveHeaderBytes + list.size() * sizeof(MacAddress));
  protocol::build_reserve(frame, static_cast<std::uint8_t>(command_code), list);
  builder.argument_.assign(frame.begin() + protocol::kHeaderBytes, frame.end());
  return builder;
}

FrameBuilder& FrameBuilder::from(const MacAddress& mac) {
  header_.source = mac;
  return *this;
}

FrameBuilder& FrameBuilder::to(const MacAddress& mac) {
  header_.destination = mac;
  return *this;
}

FrameBuilder& FrameBuilder::address(DeviceAddress address) {
  header_.address = address;
  return *this;
}

FrameBuilder& FrameBuilder::tag(std::uint32_t tag) {
  header_.tag = Tag{tag};
  return *this;
}

FrameBuilder& FrameBuilder::version(std::uint8_t version) {
  header_.version = version;
  return *this;
}

FrameBuilder& FrameBuilder::flags(std::uint8_t flags) {
  flags_ = flags;
  return *this;
}

FrameBuilder& FrameBuilder::error(std::uint8_t error) {
  header_.error = error;
  return *this;
}

FrameBuilder& FrameBuilder::feature(std::uint8_t feature) {
  ata_->feature_error = feature;
  return *this;
}

FrameBuilder& FrameBuilder::ata_flags(std::uint8_t flags) {
  ata_->flags = flags;
  return *this;
}

FrameBuilder& FrameBuilder::data(Bytes data) {
  argument_ = std::move(data);
  return *this;
}

FrameBuilder& FrameBuilder::trailing(Bytes bytes) {
  trailing_ = std::move(bytes);
  return *this;
}

FrameBuilder& FrameBuilder::byte(std::size_t at, std::uint8_t value) {
  patches_.push_back({at, value});
  return *this;
}

FrameBuilder& FrameBuilder::unpadded() {
  is_padded_ = false;
  return *this;
}

FrameBuilder& FrameBuilder::padding(std::uint8_t value) {
  padding_ = value;
  return *this;
}

FrameBuilder& FrameBuilder::truncate(std::size_t size) {
  truncate_ = size;
  return *this;
}

Bytes FrameBuilder::build() const {
  Bytes frame(ata_ ? protocol::kAtaHeaderBytes : protocol::kHeaderBytes);
  protocol::build_header(frame, header_);
  if (flags_) {
    store_u8(frame, 14,
             static_cast<std::uint8_t>((header_.version & 0xFU) << 4U | (*flags_ & 0xFU)));
  }
  if (ata_) {
    protocol::build_ata(frame, *ata_);
  }
  frame.insert(frame.end(), argument_.begin(), argument_.end());
  frame.insert(frame.end(), trailing_.begin(), trailing_.end());
  if (is_padded_ && frame.size() < protocol::kFrameBytesMin) {
    frame.resize(protocol::kFrameBytesMin, std::byte{padding_});
  }
  for (const Patch& patch : patches_) {
    store_u8(frame, patch.at, patch.value);
  }
  if (truncate_) {
    frame.resize(std::min(*truncate_, frame.size()));
  }
  return frame;
}

}  // namespace aoe::test
