#include "compat/solaris/monitor_frames.h"

#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_frame.h"
#include "protocol/ata_registers.h"
#include "protocol/dissect.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace aoe::compat::solaris {
namespace {

using protocol::FrameHeader;

FrameVerdict odd(const FrameHeader& header, std::string text) {
  return {.kind = FrameKind::odd, .address = header.address, .text = std::move(text)};
}

FrameVerdict error(const FrameHeader& header, std::string text) {
  return {.kind = FrameKind::error, .address = header.address, .text = std::move(text)};
}

FrameVerdict judge_ata(const FrameHeader& header, ConstByteSpan frame) {
  const auto ata = protocol::parse_ata(frame);
  if (!ata) {
    return odd(header,
               fmt::format("mangled ATA answer: {}", protocol::wire_error_text(ata.error())));
  }
  const protocol::AtaArgument& registers = ata->argument;
  const protocol::AtaOutcome outcome{registers.command_status, registers.feature_error};
  if (!outcome.is_failure()) {
    return {.address = header.address};
  }
  return error(header, fmt::format("ATA error {:02x}h ({}), status {:02x}h ({})", outcome.error,
                                   protocol::ata_error_text(outcome.error), outcome.status,
                                   protocol::ata_status_text(outcome.status)));
}

FrameVerdict judge_config(const FrameHeader& header, ConstByteSpan frame) {
  const auto config = protocol::parse_config(frame);
  if (!config) {
    return odd(header,
               fmt::format("mangled check-in: {}", protocol::wire_error_text(config.error())));
  }
  return {.kind = FrameKind::check_in,
          .address = header.address,
          .is_unsolicited = header.tag == Tag{0}};
}

// vblade announces itself with version 0 (vblade 25, aoe.c).
bool has_known_version(const FrameHeader& header) {
  const bool is_announcement =
      header.command == static_cast<std::uint8_t>(protocol::Command::config) &&
      header.tag == Tag{0};
  return header.version == protocol::kVersion || (header.version == 0 && is_announcement);
}

FrameVerdict judge_answer(const FrameHeader& header, ConstByteSpan frame) {
  if (!has_known_version(header)) {
    return odd(header, fmt::format("AoE version {}", header.version));
  }
  if (header.address.shelf == protocol::kAllShelves || header.address.slot == protocol::kAllSlots) {
    return odd(header, "the answer's address is that of all targets");
  }
  if (header.is_error) {
    return error(header, fmt::format("AoE error {} ({})", header.error,
                                     protocol::aoe_error_text(header.error)));
  }
  if (header.command >= protocol::kVendorCommandFirst) {
    return {.address = header.address};
  }
  switch (static_cast<protocol::Command>(header.command)) {
    case protocol::Command::ata:
      return judge_ata(header, frame);
    case protocol::Command::config:
      return judge_config(header, frame);
    case protocol::Command::mac_mask:
    case protocol::Command::reserve:
    case protocol::Command::keyed_reserve:
      return {.address = header.address};
  }
  return odd(header, fmt::format("the answer's command {} is unknown", header.command));
}

}  // namespace

FrameVerdict judge_frame(ConstByteSpan frame) {
  const auto header = protocol::parse_header(frame);
  if (!header) {
    return {.kind = FrameKind::odd,
            .text = fmt::format("mangled message: {}", protocol::wire_error_text(header.error()))};
  }
  return header->is_response ? judge_answer(*header, frame)
                             : FrameVerdict{.address = header->address};
}

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::notice:
      return "notice";
    case Severity::error:
      return "error";
  }
  return "error";
}

std::vector<std::string> dump_frame(ConstByteSpan frame) {
  constexpr std::size_t kBytesMax = 64;
  constexpr std::size_t kLineBytes = 16;
  std::vector<std::string> lines{protocol::dissect_line(frame)};
  const ConstByteSpan shown = frame.first(std::min(frame.size(), kBytesMax));
  for (std::size_t at = 0; at < shown.size(); at += kLineBytes) {
    std::string line = fmt::format("{:04x} ", at);
    for (std::size_t i = at; i < std::min(at + kLineBytes, shown.size()); ++i) {
      line += fmt::format(" {:02x}", static_cast<unsigned>(shown[i]));
    }
    lines.push_back(std::move(line));
  }
  if (shown.size() < frame.size()) {
    lines.push_back(fmt::format("and {} bytes more", frame.size() - shown.size()));
  }
  return lines;
}

std::optional<std::vector<std::byte>> bytes_of_hex(std::string_view text) {
  constexpr int kHexadecimal = 16;
  std::vector<std::byte> bytes;
  for (; text.size() >= 2; text.remove_prefix(2)) {
    unsigned value = 0;
    const char* const end = text.data() + 2;
    if (std::from_chars(text.data(), end, value, kHexadecimal).ptr != end) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::byte>(value));
  }
  return text.empty() ? std::optional(std::move(bytes)) : std::nullopt;
}

}  // namespace aoe::compat::solaris
