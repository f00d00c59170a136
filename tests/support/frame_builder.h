// Requests for tests, byte by byte: well-formed by default, wrong wherever a test says so.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_mac_lists.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace aoe::test {

using Bytes = std::vector<std::byte>;

inline constexpr MacAddress kTargetMac{{0x02, 0, 0, 0, 0x0a, 0x10}};
inline constexpr MacAddress kInitiatorA{{0x02, 0, 0, 0, 0, 0x01}};
inline constexpr MacAddress kInitiatorB{{0x02, 0, 0, 0, 0, 0x02}};
inline constexpr MacAddress kInitiatorC{{0x02, 0, 0, 0, 0, 0x03}};
inline constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};
inline constexpr DeviceAddress kE72{Shelf{7}, Slot{2}};
inline constexpr DeviceAddress kEverywhere{protocol::kAllShelves, protocol::kAllSlots};

// `count` bytes that differ from place to place and from seed to seed.
[[nodiscard]] Bytes pattern(std::size_t count, std::uint8_t seed);
[[nodiscard]] Bytes text_bytes(std::string_view text);

// Starts as a request from initiator A to the target's address for e7.1 with tag 1. Every setter
// overrides what an earlier one wrote; byte() and truncate() come last in build() whatever the
// order of the calls.
class FrameBuilder {
 public:
  // An ATA command in the form initiators send it: the E and W flags follow from the opcode table,
  // and a write without data() gets as much data as its count says.
  static FrameBuilder ata(std::uint8_t opcode, std::uint64_t lba = 0, std::uint8_t count = 0);

  static FrameBuilder read(std::uint64_t lba, std::uint8_t count = 1) {
    return ata(0x24, lba, count);
  }

  static FrameBuilder write(std::uint64_t lba, Bytes data);
  static FrameBuilder smart(std::uint8_t feature);

  // DATA SET MANAGEMENT with the TRIM bit; entries are (first sector, sectors).
  struct TrimEntry {
    std::uint64_t lba = 0;
    std::uint16_t sectors = 0;
  };

  static FrameBuilder trim(const std::vector<TrimEntry>& entries);
  static FrameBuilder config(protocol::ConfigCommand command, std::string_view string = {});
  static FrameBuilder mask_read();
  static FrameBuilder mask_edit(const std::vector<protocol::MaskDirective>& directives);
  static FrameBuilder reserve(protocol::ReserveCommand command,
                              const std::vector<MacAddress>& list = {});
  // Only a header.
  static FrameBuilder command(std::uint8_t code);

  FrameBuilder& from(const MacAddress& mac);
  FrameBuilder& to(const MacAddress& mac);

  FrameBuilder& broadcast() { return to(MacAddress::broadcast()); }

  FrameBuilder& address(DeviceAddress address);
  FrameBuilder& tag(std::uint32_t tag);
  FrameBuilder& version(std::uint8_t version);
  // The low nibble of byte 14 as it is.
  FrameBuilder& flags(std::uint8_t flags);
  FrameBuilder& error(std::uint8_t error);
  FrameBuilder& feature(std::uint8_t feature);
  FrameBuilder& ata_flags(std::uint8_t flags);
  FrameBuilder& data(Bytes data);
  // Bytes behind what the frame means: padding, or the dummy payload of a path probe.
  FrameBuilder& trailing(Bytes bytes);
  // Overwrites one byte of the finished frame.
  FrameBuilder& byte(std::size_t at, std::uint8_t value);
  // Without the padding to 60 bytes, as veth and tap deliver frames.
  FrameBuilder& unpadded();
  // What the padding consists of, 0 unless told.
  FrameBuilder& padding(std::uint8_t value);
  // Cuts the finished frame to `size` bytes.
  FrameBuilder& truncate(std::size_t size);

  [[nodiscard]] Bytes build() const;

  // NOLINTNEXTLINE(google-explicit-constructor): a builder stands wherever a frame is wanted.
  operator Bytes() const { return build(); }

 private:
  struct Patch {
    std::size_t at = 0;
    std::uint8_t value = 0;
  };

  protocol::FrameHeader header_;
  std::optional<std::uint8_t> flags_;
  std::optional<protocol::AtaArgument> ata_;
  Bytes argument_;  // behind the header, or behind the ATA argument
  Bytes trailing_;
  std::vector<Patch> patches_;
  std::optional<std::size_t> truncate_;
  bool is_padded_ = true;
  std::uint8_t padding_ = 0;
};

}  // namespace aoe::test
