// Matchers for frames that a target sent. A mismatch prints the frame field by field.
#pragma once

#include "protocol/dissect.h"
#include "support/frame_builder.h"
#include "support/target_harness.h"

#include <gmock/gmock.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::test {

// NOLINTBEGIN(readability-identifier-naming): matchers are named as GTest's are, and PrintTo by it.

// GTest prints frames in failures with this.
inline void PrintTo(const SentFrame& frame, std::ostream* out) {
  if (frame.bytes.empty()) {
    *out << "no frame, or more than one";
    return;
  }
  *out << "on port " << unsigned{frame.port.value} << ", " << frame.bytes.size() << " bytes:\n"
       << protocol::dissect_fields(frame.bytes,
                                   {.payload = protocol::PayloadDetail::length, .request = {}});
}

namespace detail {

inline bool explain(testing::MatchResultListener* listener, bool is_right, const char* what) {
  if (!is_right) {
    *listener << "whose " << what << " is wrong";
  }
  return is_right;
}

inline bool has_command(const SentFrame& frame, protocol::Command command, std::uint8_t error,
                        testing::MatchResultListener* listener) {
  const auto header = protocol::parse_header(frame.bytes);
  return explain(listener, header.has_value(), "header") &&
         explain(listener, header->is_response, "response flag") &&
         explain(listener, header->is_error == (error != 0), "error flag") &&
         explain(listener, header->error == error, "error code") &&
         explain(listener, header->command == static_cast<std::uint8_t>(command), "command");
}

inline bool is_zero_from(const SentFrame& frame, std::size_t at) {
  return at >= frame.bytes.size() ||
         std::all_of(frame.bytes.begin() + static_cast<std::ptrdiff_t>(at), frame.bytes.end(),
                     [](std::byte b) { return b == std::byte{}; });
}

inline std::vector<MacAddress> listed(const protocol::MaskFrame& mask) {
  std::vector<MacAddress> list;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    list.push_back(mask.directive(i).mac);
  }
  return list;
}

inline std::vector<MacAddress> listed(const protocol::ReserveFrame& reserve) {
  std::vector<MacAddress> list;
  for (std::size_t i = 0; i < reserve.mac_count; ++i) {
    list.push_back(reserve.address(i));
  }
  return list;
}

}  // namespace detail

// An ATA response without AoE error.
MATCHER_P3(IsAtaResponse, tag, status, error, "") {
  if (!detail::has_command(arg, protocol::Command::ata, 0, result_listener)) {
    return false;
  }
  const auto ata = protocol::parse_ata(arg.bytes);
  return detail::explain(result_listener, ata.has_value(), "argument") &&
         detail::explain(result_listener,
                         load_be32(arg.bytes, 20) == static_cast<std::uint32_t>(tag), "tag") &&
         detail::explain(result_listener, ata->argument.command_status == status, "status") &&
         detail::explain(result_listener, ata->argument.feature_error == error, "error register");
}

// The same with the tag that frames of the builder have, and the outcomes by name.
inline auto IsAtaOk() {
  return IsAtaResponse(1U, 0x40, 0);
}

inline auto IsAtaAborted() {
  return IsAtaResponse(1U, 0x41, 0x04);
}

inline auto IsAtaNotFound() {
  return IsAtaResponse(1U, 0x41, 0x10);
}

inline auto IsAtaFault() {
  return IsAtaResponse(1U, 0x61, 0x04);
}

// The data of a successful read: all of it, and nothing behind it.
MATCHER_P(CarriesData, data, "") {
  const ConstByteSpan wanted(data);
  return detail::explain(result_listener,
                         arg.bytes.size() == protocol::kAtaHeaderBytes + wanted.size(), "length") &&
         detail::explain(
             result_listener,
             equal_bytes(ConstByteSpan(arg.bytes).subspan(protocol::kAtaHeaderBytes), wanted),
             "data");
}

// 60 bytes, zeros behind the ATA argument.
MATCHER(CarriesNoData, "") {
  return detail::explain(result_listener, arg.bytes.size() == protocol::kFrameBytesMin, "length") &&
         detail::explain(result_listener, detail::is_zero_from(arg, protocol::kAtaHeaderBytes),
                         "padding");
}

MATCHER_P(HasAtaLba, lba, "") {
  const auto ata = protocol::parse_ata(arg.bytes);
  return ata && (ata->argument.is_extended() ? ata->argument.lba48() : ata->argument.lba28()) ==
                    Lba{static_cast<std::uint64_t>(lba)};
}

// An AoE error whatever the command; nothing of the request behind the header but what a config,
// mask or reserve answer may show.
MATCHER_P(IsAoeError, code, "") {
  const auto header = protocol::parse_header(arg.bytes);
  return detail::explain(result_listener, header.has_value(), "header") &&
         detail::explain(result_listener, header->is_response && header->is_error, "flags") &&
         detail::explain(result_listener, header->error == code, "error code");
}

MATCHER(IsBareHeader, "") {
  return detail::explain(result_listener, arg.bytes.size() == protocol::kFrameBytesMin, "length") &&
         detail::explain(result_listener, detail::is_zero_from(arg, protocol::kHeaderBytes),
                         "padding");
}

namespace detail {

inline bool is_config(const SentFrame& frame, protocol::ConfigCommand command,
                      std::string_view string, std::uint8_t error,
                      testing::MatchResultListener* listener) {
  if (!has_command(frame, protocol::Command::config, error, listener)) {
    return false;
  }
  const auto config = protocol::parse_config(frame.bytes);
  return explain(listener, config.has_value(), "argument") &&
         explain(listener, config->command == static_cast<std::uint8_t>(command), "sub-command") &&
         explain(listener, config->protocol_version == 1, "protocol version") &&
         explain(listener, as_text(config->string) == string, "string") &&
         explain(listener,
                 is_zero_from(frame, protocol::kConfigHeaderBytes + config->string.size()),
                 "padding");
}

}  // namespace detail

MATCHER_P2(IsConfigReply, command, string, "") {
  return detail::is_config(arg, command, string, 0, result_listener);
}

// Error 4, or 2 for a sub-command that nobody defined, with the string as it is.
MATCHER_P3(IsConfigError, code, command, string, "") {
  return detail::is_config(arg, static_cast<protocol::ConfigCommand>(command), string,
                           static_cast<std::uint8_t>(code), result_listener);
}

MATCHER_P(IsMaskReply, list, "") {
  if (!detail::has_command(arg, protocol::Command::mac_mask, 0, result_listener)) {
    return false;
  }
  const auto mask = protocol::parse_mask(arg.bytes);
  return detail::explain(result_listener, mask.has_value(), "argument") &&
         detail::explain(result_listener, mask->error == 0, "mask error") &&
         detail::explain(result_listener, detail::listed(*mask) == std::vector<MacAddress>(list),
                         "list") &&
         detail::explain(
             result_listener,
             detail::is_zero_from(arg, protocol::kMaskHeaderBytes + mask->directives.size()),
             "padding");
}

// A mask error is no AoE error; the count tells which directive failed, and none follows.
MATCHER_P2(IsMaskError, error, index, "") {
  if (!detail::has_command(arg, protocol::Command::mac_mask, 0, result_listener)) {
    return false;
  }
  return detail::explain(result_listener,
                         load_u8(arg.bytes, 26) == static_cast<std::uint8_t>(error),
                         "mask error") &&
         detail::explain(result_listener, load_u8(arg.bytes, 27) == index, "index") &&
         detail::explain(result_listener, detail::is_zero_from(arg, protocol::kMaskHeaderBytes),
                         "padding");
}

namespace detail {

inline bool is_reserve(const SentFrame& frame, protocol::ReserveCommand command,
                       const std::vector<MacAddress>& list, std::uint8_t error,
                       testing::MatchResultListener* listener) {
  if (!has_command(frame, protocol::Command::reserve, error, listener)) {
    return false;
  }
  const auto reserve = protocol::parse_reserve(frame.bytes);
  return explain(listener, reserve.has_value(), "argument") &&
         explain(listener, reserve->command == static_cast<std::uint8_t>(command), "sub-command") &&
         explain(listener, listed(*reserve) == list, "list") &&
         explain(listener,
                 is_zero_from(frame, protocol::kReserveHeaderBytes + reserve->addresses.size()),
                 "padding");
}

}  // namespace detail

MATCHER_P2(IsReserveReply, command, list, "") {
  return detail::is_reserve(arg, command, list, 0, result_listener);
}

MATCHER_P2(IsReserveRefusal, command, list, "") {
  return detail::is_reserve(arg, command, list,
                            static_cast<std::uint8_t>(protocol::AoeError::target_reserved),
                            result_listener);
}

// A config response that nobody asked for.
MATCHER_P2(IsAdvertisement, address, destination, "") {
  if (!detail::has_command(arg, protocol::Command::config, 0, result_listener)) {
    return false;
  }
  const auto header = protocol::parse_header(arg.bytes);
  return detail::explain(result_listener, header->tag == Tag{0}, "tag") &&
         detail::explain(result_listener, header->address == address, "address") &&
         detail::explain(result_listener, header->destination == destination, "destination");
}

// The broadcast question whether anybody else has the address.
MATCHER_P(IsProbe, address, "") {
  const auto header = protocol::parse_header(arg.bytes);
  return header && !header->is_response && header->address == address &&
         header->destination == MacAddress::broadcast();
}

MATCHER_P2(GoesTo, mac, address, "") {
  const auto header = protocol::parse_header(arg.bytes);
  return detail::explain(result_listener, header->destination == mac, "destination") &&
         detail::explain(result_listener, header->address == address, "address");
}

MATCHER_P(IsEvent, kind, "") {
  return arg.kind == kind;
}

// NOLINTEND(readability-identifier-naming)

}  // namespace aoe::test
