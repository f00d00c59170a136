#include "config/value.h"

#include "base/parse.h"
#include "config/daemon_config.h"
#include "config/diagnostics.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace aoe::config {
namespace {

using Kind = ConfigValue::Kind;

constexpr std::size_t kTextBytesMax = 4095;     // PATH_MAX less the terminating zero
constexpr std::size_t kInterfaceCharsMax = 15;  // IFNAMSIZ less the terminating zero
constexpr std::uint64_t kWildcardShelf = 0xFFFF;
constexpr std::uint64_t kWildcardSlot = 0xFF;
constexpr std::uint64_t kLinuxIgnoredShelf = 0xFFF;  // "check shelf dip switches" (aoecmd.c:1530)

constexpr std::string_view kSizeForms =
    "a size such as 512, 64K, 10G or 20480s (K M G T P are powers of 1024, s is sectors of 512 "
    "bytes)";

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::word:
    case Kind::string:
      return "a string";
    case Kind::integer:
      return "a whole number";
    case Kind::floating:
      return "a number with a fraction";
    case Kind::boolean:
      return "a boolean";
    case Kind::list:
      return "a list";
    case Kind::mixed_list:
      return "a list of other things than strings";
    case Kind::other:
      break;
  }
  return "a table, date or time";
}

bool is_text(const ConfigValue& value) {
  return value.kind == Kind::word || value.kind == Kind::string;
}

auto wrong_type(const ConfigValue& value, std::string_view expected) {
  return fail(fmt::format("expected {}, not {}", expected, kind_name(value.kind)));
}

auto out_of_range(std::string_view shown, CountRange range) {
  return fail(fmt::format("{} is out of range: expected {} to {}", shown, range.min, range.max));
}

ReadResult<std::uint64_t> in_range(std::uint64_t count, CountRange range) {
  if (count < range.min || count > range.max) {
    return out_of_range(std::to_string(count), range);
  }
  return count;
}

// The number of a value that is a TOML integer.
ReadResult<std::uint64_t> integer_in_range(const ConfigValue& value, CountRange range) {
  if (value.integer < 0) {
    return out_of_range(std::to_string(value.integer), range);
  }
  return in_range(static_cast<std::uint64_t>(value.integer), range);
}

// How many bytes a well-formed UTF-8 character at the front of `text` has; 0 where there is none.
// Overlong forms, surrogates and what lies beyond U+10FFFF are not well-formed (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [text](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  const auto continues = [&byte](std::size_t at) { return (byte(at) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80U) {
    return 1;
  }
  if (first >= 0xC2U && first <= 0xDFU && continues(1)) {
    return 2;
  }
  if (first >= 0xE0U && first <= 0xEFU && continues(1) && continues(2)) {
    const bool overlong = first == 0xE0U && byte(1) < 0xA0U;
    const bool surrogate = first == 0xEDU && byte(1) >= 0xA0U;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0U && first <= 0xF4U && continues(1) && continues(2) && continues(3)) {
    const bool overlong = first == 0xF0U && byte(1) < 0x90U;
    const bool beyond = first == 0xF4U && byte(1) >= 0x90U;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

bool is_clean_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const bool is_control = length == 1 && (text[0] < ' ' || text[0] == '\x7f');
    if (length == 0 || is_control) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

ReadResult<std::uint64_t> read_size_text(std::string_view text, CountRange range) {
  const auto bytes = parse_size(text);
  if (!bytes) {
    if (bytes.error() == ParseErrc::too_large) {
      return out_of_range(in_quotes(text), range);
    }
    return fail(fmt::format("{}: expected {}", in_quotes(text), kSizeForms));
  }
  return in_range(*bytes, range);
}

// The items of a list in either form.
ReadResult<std::vector<std::string>> read_items(const ConfigValue& value,
                                                std::string_view expected) {
  if (value.kind == Kind::list) {
    return value.items;
  }
  if (!is_text(value)) {
    return wrong_type(value, expected);
  }
  std::vector<std::string> items;
  std::string_view rest = value.text;
  while (true) {
    const std::size_t plus = rest.find('+');
    items.emplace_back(rest.substr(0, plus));
    if (plus == std::string_view::npos) {
      return items;
    }
    rest.remove_prefix(plus + 1);
  }
}

ReadResult<MacAddress> read_host_mac(std::string_view text, std::string_view expected) {
  const auto mac = parse_mac_address(text);
  if (!mac) {
    return fail(fmt::format("{}: expected {}", in_quotes(text), expected));
  }
  if (mac->is_zero() || mac->is_group()) {
    return fail(fmt::format("{} is {}: expected the address of one host", in_quotes(text),
                            mac->is_zero() ? "the zero address" : "a group address"));
  }
  return *mac;
}

// What dev_valid_name() of the kernel accepts, without the comma that our lists are written with.
bool is_interface_name(std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '/' && c != ':' && c != ',';
  });
  return plain && !name.empty() && name.size() <= kInterfaceCharsMax && name != "." && name != "..";
}

ReadResult<std::uint64_t> read_address_part(std::string_view digits, std::string_view whole) {
  const auto number = parse_unsigned(digits);
  if (number) {
    return *number;
  }
  if (number.error() == ParseErrc::too_large) {
    return ~std::uint64_t{0};
  }
  return fail(fmt::format("{}: expected SHELF.SLOT, such as 7.1 or e7.1", in_quotes(whole)));
}

}  // namespace

ConfigValue ConfigValue::word(std::string text, std::string where) {
  ConfigValue value;
  value.kind = Kind::word;
  value.text = std::move(text);
  value.where = std::move(where);
  return value;
}

ConfigValue ConfigValue::list(std::vector<std::string> items, std::string where) {
  ConfigValue value;
  value.kind = Kind::list;
  value.items = std::move(items);
  value.where = std::move(where);
  return value;
}

ReadResult<std::string> read_text(const ConfigValue& value, std::string_view expected) {
  if (!is_text(value)) {
    return wrong_type(value, expected);
  }
  if (value.text.empty()) {
    return fail(fmt::format("empty: expected {}", expected));
  }
  if (value.text.size() > kTextBytesMax) {
    return fail(fmt::format("{} bytes long: expected {} of at most {} bytes", value.text.size(),
                            expected, kTextBytesMax));
  }
  if (!is_clean_utf8(value.text)) {
    return fail(fmt::format("{}: expected {} in UTF-8 without control characters",
                            in_quotes(value.text), expected));
  }
  return value.text;
}

ReadResult<std::string> read_printable(const ConfigValue& value, std::size_t chars_max) {
  const std::string expected = fmt::format("1 to {} printable ASCII characters", chars_max);
  if (!is_text(value)) {
    return wrong_type(value, expected);
  }
  const bool printable = std::all_of(value.text.begin(), value.text.end(),
                                     [](char c) { return c >= ' ' && c <= '~'; });
  if (value.text.size() > chars_max || value.text.empty()) {
    return fail(fmt::format("{} has {} characters: expected {}", in_quotes(value.text),
                            value.text.size(), expected));
  }
  if (!printable) {
    return fail(fmt::format("{}: expected {}", in_quotes(value.text), expected));
  }
  return value.text;
}

ReadResult<std::uint64_t> read_count(const ConfigValue& value, CountRange range) {
  const std::string expected = fmt::format("a whole number from {} to {}", range.min, range.max);
  if (value.kind == Kind::integer) {
    return integer_in_range(value, range);
  }
  if (value.kind != Kind::word) {
    return wrong_type(value, expected);
  }
  const auto count = parse_unsigned(value.text);
  if (!count && count.error() == ParseErrc::too_large) {
    return out_of_range(in_quotes(value.text), range);
  }
  if (!count) {
    return fail(fmt::format("{}: expected {}", in_quotes(value.text), expected));
  }
  return in_range(*count, range);
}

ReadResult<bool> read_boolean(const ConfigValue& value) {
  if (value.kind == Kind::boolean) {
    return value.boolean;
  }
  if (value.kind != Kind::word) {
    return wrong_type(value, "true or false");
  }
  if (value.text != "true" && value.text != "false") {
    return fail(fmt::format("{}: expected true or false", in_quotes(value.text)));
  }
  return value.text == "true";
}

ReadResult<std::uint64_t> read_size(const ConfigValue& value, std::uint64_t bytes_max) {
  const CountRange range{0, bytes_max};
  if (value.kind == Kind::integer) {
    return integer_in_range(value, range);
  }
  if (!is_text(value)) {
    return wrong_type(value, kSizeForms);
  }
  return read_size_text(value.text, range);
}

ReadResult<std::uint64_t> read_sectors(const ConfigValue& value, CountRange range) {
  constexpr std::string_view kExpected = "a number of sectors, or a size such as 20480s or 10G";
  if (value.kind == Kind::integer) {
    return integer_in_range(value, range);
  }
  if (!is_text(value)) {
    return wrong_type(value, kExpected);
  }
  if (const auto sectors = parse_unsigned(value.text)) {
    return in_range(*sectors, range);
  }
  const auto bytes = parse_size(value.text);
  if (!bytes && bytes.error() == ParseErrc::too_large) {
    return out_of_range(in_quotes(value.text), range);
  }
  if (!bytes) {
    return fail(fmt::format("{}: expected {}", in_quotes(value.text), kExpected));
  }
  if (*bytes % kSectorBytes != 0) {
    return fail(
        fmt::format("{} is not a multiple of {} bytes", in_quotes(value.text), kSectorBytes));
  }
  return in_range(*bytes / kSectorBytes, range);
}

ReadResult<std::size_t> read_word(const ConfigValue& value,
                                  std::span<const std::string_view> words) {
  if (!is_text(value)) {
    return wrong_type(value, "one of " + joined(words));
  }
  const auto found = std::find(words.begin(), words.end(), value.text);
  if (found == words.end()) {
    return fail(fmt::format("{}: expected one of {}", in_quotes(value.text), joined(words)));
  }
  return static_cast<std::size_t>(found - words.begin());
}

bool is_word(const ConfigValue& value, std::string_view word) {
  return is_text(value) && value.text == word;
}

ReadResult<std::vector<MacAddress>> read_macs(const ConfigValue& value,
                                              std::span<const std::string_view> words) {
  const std::string expected =
      fmt::format("{} or MAC addresses such as 02:00:00:00:0a:10", joined(words));
  AOE_TRY_ASSIGN(const std::vector<std::string> items, read_items(value, expected));
  if (items.empty()) {
    return fail(fmt::format("the list is empty: expected {}", expected));
  }
  std::vector<MacAddress> macs;
  for (const std::string& item : items) {
    AOE_TRY_ASSIGN(const MacAddress mac, read_host_mac(item, expected));
    if (std::find(macs.begin(), macs.end(), mac) == macs.end()) {
      macs.push_back(mac);
    }
    if (macs.size() > kMacListMax) {
      return fail(fmt::format("more than {} different addresses", kMacListMax));
    }
  }
  return macs;
}

ReadResult<std::string> read_socket_path(const ConfigValue& value) {
  AOE_TRY_ASSIGN(std::string path, read_text(value, "the path of a socket"));
  if (path.size() > kSocketPathCharsMax) {
    return fail(fmt::format("{} bytes long: expected the path of a socket, at most {} bytes",
                            path.size(), kSocketPathCharsMax));
  }
  return path;
}

ReadResult<std::string> read_account(const ConfigValue& value, std::string_view expected) {
  AOE_TRY_ASSIGN(std::string name, read_text(value, expected));
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c <= '~' && c != ':' && c != '/' && c != ',';
  });
  if (!plain || name.front() == '-') {
    return fail(fmt::format("{}: expected {}", in_quotes(name), expected));
  }
  return name;
}

ReadResult<Duration> read_duration(const ConfigValue& value, DurationRange range) {
  const std::string expected = fmt::format("a time from {} to {}, such as 30, \"500ms\" or \"2m\"",
                                           format_duration(range.min), format_duration(range.max));
  std::string text = value.text;
  if (value.kind == Kind::integer) {
    text = std::to_string(value.integer);
  } else if (!is_text(value)) {
    return wrong_type(value, expected);
  }
  const auto duration = parse_duration(text);
  const bool too_large = !duration && duration.error() == ParseErrc::too_large;
  if (!duration && !too_large) {
    return fail(fmt::format("{}: expected {}", in_quotes(text), expected));
  }
  if (too_large || *duration < range.min || *duration > range.max) {
    return fail(fmt::format("{} is out of range: expected {}", in_quotes(text), expected));
  }
  return *duration;
}

ReadResult<std::vector<std::string>> read_texts(const ConfigValue& value,
                                                std::string_view expected) {
  return read_items(value, expected);
}

ReadResult<std::vector<std::string>> read_interfaces(const ConfigValue& value) {
  AOE_TRY_ASSIGN(std::vector<std::string> names, read_items(value, "interface names"));
  if (names.empty()) {
    return fail(std::string("the list is empty: expected at least one interface name"));
  }
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (!is_interface_name(*name)) {
      return fail(fmt::format(
          "{}: expected interface names of 1 to {} characters without blanks, '/', ':' and ','",
          in_quotes(*name), kInterfaceCharsMax));
    }
    if (std::find(names.begin(), name, *name) != name) {
      return fail(fmt::format("{} is named twice", in_quotes(*name)));
    }
  }
  return names;
}

ReadResult<DeviceAddress> read_device_address(const ConfigValue& value) {
  if (value.kind == Kind::integer || value.kind == Kind::floating) {
    return fail(
        std::string("expected SHELF.SLOT in quotes, such as \"7.1\", not a number (7.10 "
                    "and 7.1 are the same number)"));
  }
  if (!is_text(value)) {
    return wrong_type(value, "SHELF.SLOT in quotes, such as \"7.1\"");
  }
  std::string_view text = value.text;
  if (text.starts_with('e')) {
    text.remove_prefix(1);
  }
  const std::size_t dot = std::min(text.find('.'), text.size());
  const std::string_view slot_text = dot < text.size() ? text.substr(dot + 1) : "";
  AOE_TRY_ASSIGN(const std::uint64_t shelf, read_address_part(text.substr(0, dot), value.text));
  AOE_TRY_ASSIGN(const std::uint64_t slot, read_address_part(slot_text, value.text));
  if (shelf == kWildcardShelf || slot == kWildcardSlot) {
    return fail(fmt::format(
        "{}: {} means every {} in the protocol: expected shelf 0 to 65534 and slot 0 to 254",
        in_quotes(value.text), shelf == kWildcardShelf ? "shelf 65535 (0xffff)" : "slot 255 (0xff)",
        shelf == kWildcardShelf ? "shelf" : "slot"));
  }
  if (shelf == kLinuxIgnoredShelf) {
    return fail(
        fmt::format("{}: shelf 4095 (0xfff) is what a shelf with unset switches says, and "
                    "the Linux driver ignores it: expected another shelf",
                    in_quotes(value.text)));
  }
  if (shelf > kWildcardShelf || slot > kWildcardSlot) {
    return fail(fmt::format("{} is out of range: expected shelf 0 to 65534 and slot 0 to 254",
                            in_quotes(value.text)));
  }
  return DeviceAddress{Shelf{static_cast<std::uint16_t>(shelf)},
                       Slot{static_cast<std::uint8_t>(slot)}};
}

std::string to_string(const ListenAddress& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? "[" + address.host + "]" : address.host;
  return host + ":" + std::to_string(address.port);
}

ReadResult<ListenAddress> read_listen_address(const ConfigValue& value) {
  constexpr std::string_view kExpected = "ADDR:PORT, such as 127.0.0.1:9750 or [::1]:9750";
  if (!is_text(value)) {
    return wrong_type(value, kExpected);
  }
  const auto malformed =
      fail(fmt::format("{}: expected {} with a numeric address", in_quotes(value.text), kExpected));
  const std::string_view text = value.text;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.find('\0') != std::string_view::npos) {
    return malformed;
  }
  std::string host(text.substr(0, colon));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  std::array<unsigned char, sizeof(in6_addr)> binary{};
  if (::inet_pton(bracketed ? AF_INET6 : AF_INET, host.c_str(), binary.data()) != 1) {
    return malformed;
  }
  const auto port = parse_unsigned(text.substr(colon + 1));
  if (!port && port.error() != ParseErrc::too_large) {
    return malformed;
  }
  if (!port || *port < 1 || *port > 65535) {
    return fail(fmt::format("port {} is out of range: expected 1 to 65535",
                            sanitized(text.substr(colon + 1))));
  }
  return ListenAddress{host, static_cast<std::uint16_t>(*port)};
}

}  // namespace aoe::config
