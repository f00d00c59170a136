#include "compat/aoetools/ping_text.h"

#include "protocol/ata_command.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cstdlib>

namespace aoe::compat::aoetools {
namespace {

using protocol::SmartFeature;

constexpr std::size_t kBytesPerLine = 16;
constexpr std::size_t kVendorWord = 7;  // words 7 to 9
constexpr std::size_t kSmartWord = 82;

struct TextField {
  const char* label;
  std::size_t word;
  std::size_t chars;
};

// ATA8-ACS 7.16.
constexpr std::array kTextFields{TextField{"serial_number", 10, 20},
                                 TextField{"firmware_rev", 23, 8}, TextField{"model", 27, 40}};

struct SmartName {
  std::string_view name;
  SmartFeature feature;
  bool reads;
  bool writes;
};

constexpr std::array kSmartNames{
    SmartName{"read_data", SmartFeature::read_data, true, false},
    SmartName{"offline_immediate", SmartFeature::offline_immediate, false, false},
    SmartName{"read_log", SmartFeature::read_log, true, false},
    SmartName{"write_log", SmartFeature::write_log, false, true},
    SmartName{"enable", SmartFeature::enable, false, false},
    SmartName{"disable", SmartFeature::disable, false, false},
    SmartName{"return_status", SmartFeature::return_status, false, false},
};

unsigned byte_at(ConstByteSpan bytes, std::size_t index) {
  return std::to_integer<unsigned>(bytes[index]);
}

// Texts stand with the two characters of each word swapped. Ends at the first that is not shown.
std::string text_field(ConstByteSpan sector, const TextField& field) {
  std::string text;
  for (std::size_t i = 0; i < field.chars; ++i) {
    const auto c = static_cast<unsigned char>(byte_at(sector, (2 * field.word + i) ^ 1U));
    if (std::isgraph(c) == 0 && c != ' ') {
      break;
    }
    text += static_cast<char>(c);
  }
  return text;
}

}  // namespace

std::string hex_lines(ConstByteSpan bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text += fmt::format("{:02x} ", byte_at(bytes, i));
    if ((i + 1) % kBytesPerLine == 0) {
      text += '\n';
    }
  }
  return text;
}

std::string identify_fields(ConstByteSpan sector) {
  std::string text = "device identify fields:\n";
  for (std::size_t i = 0; i < 3; ++i) {
    // With the two bytes of the word swapped, as aoeping has swapped them for the texts.
    const std::size_t at = 2 * (kVendorWord + i);
    text += fmt::format("vendor_specific_{}: 0x{:X}\n", i,
                        byte_at(sector, at) << 8U | byte_at(sector, at + 1));
  }
  for (const TextField& field : kTextFields) {
    text += fmt::format("{}: {}\n", field.label, text_field(sector, field));
  }
  return text;
}

bool supports_smart(ConstByteSpan sector) {
  return (byte_at(sector, 2 * kSmartWord) & 1U) != 0;
}

std::string register_lines(const protocol::AtaArgument& registers) {
  const std::array lines{std::pair("Features", registers.feature_error),
                         std::pair("Sector Count", registers.sector_count),
                         std::pair("LBA Low", registers.lba[0]),
                         std::pair("LBA Mid", registers.lba[1]),
                         std::pair("LBA High", registers.lba[2]),
                         std::pair("Status", registers.command_status)};
  std::string text = "ATA registers:\n";
  for (const auto& [name, value] : lines) {
    text += fmt::format("{:>20}: 0x{:02x}\n", name, value);
  }
  return text;
}

std::optional<SmartCommand> parse_smart_command(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = std::string_view(text).substr(0, colon);
  for (const SmartName& known : kSmartNames) {
    if (colon == std::string::npos ? known.name == name : known.name.starts_with(name)) {
      const long parameter =
          colon == std::string::npos ? 0 : std::strtol(text.c_str() + colon + 1, nullptr, 0);
      return SmartCommand{.feature = static_cast<std::uint8_t>(known.feature),
                          .parameter = static_cast<std::uint8_t>(parameter),
                          .reads = known.reads,
                          .writes = known.writes};
    }
  }
  return std::nullopt;
}

}  // namespace aoe::compat::aoetools
