#include "compat/solaris/aoed_conf.h"

#include "base/ids.h"
#include "base/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace aoe::compat::solaris {
namespace {

struct Value {
  std::string text;
  bool is_text = false;  // was in quotes
};

struct Entry {
  std::map<std::string, Value, std::less<>> properties;
  std::size_t line = 0;
};

struct NumberProperty {
  std::string_view name;
  std::uint64_t min;
  std::uint64_t max;
};

constexpr NumberProperty kInstance{"instance", 0, kInstanceMax};
constexpr NumberProperty kChannel{"aoechan", 0, kChannelMax};
constexpr NumberProperty kMajor{"aoemaj", 0, 65534};
constexpr NumberProperty kMinor{"aoemin", 0, 254};
constexpr NumberProperty kTimeout{"timeout", 1, 3'600'000};
constexpr NumberProperty kHeads{"hd", 1, 65535};
constexpr NumberProperty kSectors{"sec", 1, 65535};
constexpr NumberProperty kMaxData{"maxdata", kSectorBytes, 255ULL * kSectorBytes};
constexpr NumberProperty kMaxBuf{"maxbuf", 1, 65535};
constexpr std::array kKnown{std::string_view("name"),
                            std::string_view("parent"),
                            kInstance.name,
                            kChannel.name,
                            kMajor.name,
                            kMinor.name,
                            kTimeout.name,
                            kHeads.name,
                            kSectors.name,
                            kMaxData.name,
                            kMaxBuf.name};

bool is_blank(char letter) {
  return letter == ' ' || letter == '\t' || letter == '\r' || letter == '\v' || letter == '\f';
}

bool is_word(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_' || letter == '-' || letter == '.';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  AoedConf run() {
    while (skip_blanks()) {
      const std::size_t start_line = line_;
      if (text_[at_] == ';') {
        ++at_;
        continue;
      }
      Entry entry;
      entry.line = start_line;
      if (read_entry(entry)) {
        add(entry);
      } else {
        skip_entry();
      }
    }
    return std::move(conf_);
  }

 private:
  void problem(std::size_t line, std::string text) {
    conf_.problems.push_back({line, std::move(text)});
  }

  // To the next letter that means something; false at the end.
  bool skip_blanks() {
    while (at_ < text_.size()) {
      if (text_[at_] == '\n') {
        ++line_;
      } else if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      } else if (!is_blank(text_[at_])) {
        return true;
      }
      ++at_;
    }
    return false;
  }

  // Behind a mistake: to the semicolon, or to the end of the line when that comes first.
  void skip_entry() {
    while (at_ < text_.size() && text_[at_] != ';' && text_[at_] != '\n') {
      ++at_;
    }
    at_ += at_ < text_.size() && text_[at_] == ';' ? 1U : 0U;
  }

  std::string read_word() {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) {
      ++at_;
    }
    return std::string(text_.substr(start, at_ - start));
  }

  bool read_entry(Entry& entry) {
    for (;;) {
      if (!skip_blanks()) {
        problem(entry.line, "the semicolon at the end of this entry is missing");
        return false;
      }
      if (text_[at_] == ';') {
        ++at_;
        return true;
      }
      if (!read_property(entry)) {
        return false;
      }
    }
  }

  bool read_property(Entry& entry) {
    const std::string name = read_word();
    if (name.empty()) {
      problem(line_, fmt::format("'{}': expected name=value or a semicolon", text_[at_]));
      return false;
    }
    if (!skip_blanks() || text_[at_] != '=') {
      problem(line_, fmt::format("{}: expected name=value", name));
      return false;
    }
    ++at_;
    Value value;
    if (!read_value(name, value)) {
      return false;
    }
    if (!entry.properties.emplace(name, std::move(value)).second) {
      problem(line_, fmt::format("{}: stands twice in one entry", name));
      return false;
    }
    return true;
  }

  bool read_value(const std::string& name, Value& value) {
    if (!skip_blanks()) {
      problem(line_, fmt::format("{}: its value is missing", name));
      return false;
    }
    if (text_[at_] != '"') {
      value.text = read_word();
      if (value.text.empty()) {
        problem(line_, fmt::format("{}: its value is missing", name));
      }
      return !value.text.empty();
    }
    const std::size_t end = text_.find_first_of("\"\n", at_ + 1);
    if (end == std::string_view::npos || text_[end] == '\n') {
      problem(line_, fmt::format("{}: the closing quote is missing", name));
      return false;
    }
    value = {std::string(text_.substr(at_ + 1, end - at_ - 1)), true};
    at_ = end + 1;
    return true;
  }

  bool check_text(const Entry& entry, std::string_view name, std::string_view expected) {
    const auto found = entry.properties.find(name);
    if (found != entry.properties.end() && found->second.is_text &&
        found->second.text == expected) {
      return true;
    }
    problem(entry.line, fmt::format("expected {}=\"{}\"", name, expected));
    return false;
  }

  // False when it is there and wrong.
  bool number(const Entry& entry, const NumberProperty& property,
              std::optional<std::uint32_t>& into) {
    const auto found = entry.properties.find(property.name);
    if (found == entry.properties.end()) {
      return true;
    }
    const auto value = parse_unsigned(found->second.text);
    if (found->second.is_text || !value || *value < property.min || *value > property.max) {
      problem(entry.line, fmt::format("{}={}: expected a number from {} to {}", property.name,
                                      found->second.text, property.min, property.max));
      return false;
    }
    into = static_cast<std::uint32_t>(*value);
    return true;
  }

  bool needed(const Entry& entry, const NumberProperty& property, std::uint32_t& into) {
    std::optional<std::uint32_t> value;
    if (!number(entry, property, value)) {
      return false;
    }
    if (!value) {
      problem(entry.line, fmt::format("{} is missing", property.name));
      return false;
    }
    into = *value;
    return true;
  }

  bool check_names(const Entry& entry) {
    for (const auto& [name, value] : entry.properties) {
      if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
        problem(entry.line, fmt::format("{}: no such property", name));
        return false;
      }
    }
    return true;
  }

  void add(const Entry& entry) {
    AoedDevice device;
    device.line = entry.line;
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    if (!check_names(entry) || !check_text(entry, "name", "aoed") ||
        !check_text(entry, "parent", "pseudo") || !needed(entry, kInstance, device.instance) ||
        !needed(entry, kChannel, device.address.channel) || !needed(entry, kMajor, major) ||
        !needed(entry, kMinor, minor) || !number(entry, kTimeout, device.timeout_ms) ||
        !number(entry, kHeads, device.heads) ||
        !number(entry, kSectors, device.sectors_per_track) ||
        !number(entry, kMaxData, device.data_bytes_max) ||
        !number(entry, kMaxBuf, device.commands_max)) {
      return;
    }
    device.address.device = {Shelf{static_cast<std::uint16_t>(major)},
                             Slot{static_cast<std::uint8_t>(minor)}};
    if (!device.heads || !device.sectors_per_track) {
      device.heads.reset();
      device.sectors_per_track.reset();
    }
    for (const AoedDevice& other : conf_.devices) {
      if (other.instance == device.instance) {
        problem(entry.line,
                fmt::format("instance={} stands in line {} already", device.instance, other.line));
        return;
      }
    }
    conf_.devices.push_back(device);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  AoedConf conf_;
};

}  // namespace

AoedConf parse_aoed_conf(std::string_view text) {
  return Parser(text).run();
}

std::string aoed_entry(std::uint32_t instance, const TargetAddress& address) {
  return fmt::format(
      "name=\"aoed\" parent=\"pseudo\" instance={} aoechan={} aoemaj={} aoemin={};\n", instance,
      address.channel, address.device.shelf.value, address.device.slot.value);
}

}  // namespace aoe::compat::solaris
