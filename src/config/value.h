// One value of a configuration as its source wrote it, and the readers that turn it into what a key
// wants. Command lines and files use them, so that a key means and refuses the same everywhere.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/result.h"
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::config {

// Where a server of the daemon listens.
struct ListenAddress {
  std::string host;  // a numeric IPv4 or IPv6 address, without brackets
  std::uint16_t port = 0;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// "127.0.0.1:9750", "[::1]:9750"
[[nodiscard]] std::string to_string(const ListenAddress& address);

// The mask list on the wire counts its entries in one byte (AoEr11, MAC Mask List, Dir Count), so
// that no longer list could be shown to anybody.
inline constexpr std::size_t kMacListMax = 255;

struct ConfigValue {
  enum class Kind : std::uint8_t {
    word,    // from a command line: text without a type, lists joined with '+'
    string,  // from here on: TOML's types
    integer,
    floating,
    boolean,
    list,  // all items are strings
    mixed_list,
    other,  // a table, a date or a time
  };

  Kind kind = Kind::word;
  std::string text;                // of word and string
  std::int64_t integer = 0;        // of integer
  bool boolean = false;            // of boolean
  std::vector<std::string> items;  // of list
  std::string where;               // of the value itself, for messages

  [[nodiscard]] static ConfigValue word(std::string text, std::string where);
  [[nodiscard]] static ConfigValue list(std::vector<std::string> items, std::string where);
};

// The error of a reader: what was expected and what stood there, to stand behind the key's name.
template <class T>
using ReadResult = Result<T, std::string>;

struct CountRange {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
};

// Text that a log, JSON and TOML can carry: 1..4095 bytes of UTF-8 without control characters.
// `expected` names what the text is, e.g. "a path".
[[nodiscard]] ReadResult<std::string> read_text(const ConfigValue& value,
                                                std::string_view expected);

// Printable ASCII, 1..chars_max characters.
[[nodiscard]] ReadResult<std::string> read_printable(const ConfigValue& value,
                                                     std::size_t chars_max);

[[nodiscard]] ReadResult<std::uint64_t> read_count(const ConfigValue& value, CountRange range);

// true or false.
[[nodiscard]] ReadResult<bool> read_boolean(const ConfigValue& value);

// Bytes: a number, or a text with a suffix (base/parse.h).
[[nodiscard]] ReadResult<std::uint64_t> read_size(const ConfigValue& value,
                                                  std::uint64_t bytes_max);

// Sectors: a plain number counts sectors, one with a suffix of bytes must be a multiple of 512.
[[nodiscard]] ReadResult<std::uint64_t> read_sectors(const ConfigValue& value, CountRange range);

// The index of the word in `words`.
[[nodiscard]] ReadResult<std::size_t> read_word(const ConfigValue& value,
                                                std::span<const std::string_view> words);

// Texts, as a list or joined with '+'; `expected` says what they are.
[[nodiscard]] ReadResult<std::vector<std::string>> read_texts(const ConfigValue& value,
                                                              std::string_view expected);

// Addresses of hosts, as a list or joined with '+'; equal ones once. `words` are what else may
// stand there, for messages.
[[nodiscard]] ReadResult<std::vector<MacAddress>> read_macs(
    const ConfigValue& value, std::span<const std::string_view> words);

// Whether `value` is exactly that text.
[[nodiscard]] bool is_word(const ConfigValue& value, std::string_view word);

// The path of a socket: read_text, and short enough for its address.
[[nodiscard]] ReadResult<std::string> read_socket_path(const ConfigValue& value);

// The name of a user or group, which `expected` says. Whether there is one is not asked.
[[nodiscard]] ReadResult<std::string> read_account(const ConfigValue& value,
                                                   std::string_view expected);

struct DurationRange {
  Duration min;
  Duration max;
};

// A time: a whole number of seconds, or a text with a unit (base/parse.h).
[[nodiscard]] ReadResult<Duration> read_duration(const ConfigValue& value, DurationRange range);

// Interface names as the kernel accepts them, as a list or joined with '+'; no name twice.
[[nodiscard]] ReadResult<std::vector<std::string>> read_interfaces(const ConfigValue& value);

// "7.1" or "e7.1", and a target may serve it: not the wildcards of the protocol, and not shelf
// 4095, which the Linux driver ignores.
[[nodiscard]] ReadResult<DeviceAddress> read_device_address(const ConfigValue& value);

// ADDR:PORT with a numeric address.
[[nodiscard]] ReadResult<ListenAddress> read_listen_address(const ConfigValue& value);

}  // namespace aoe::config
