#include "compat/solaris/aoe_conf.h"

#include "base/ids.h"
#include "base/parse.h"
#include "compat/solaris/target_address.h"

#include <fmt/format.h>

#include <algorithm>

namespace aoe::compat::solaris {
namespace {

// AoE header and ATA argument, of a frame's payload.
constexpr std::uint32_t kAtaOverheadBytes = 22;
constexpr std::uint32_t kStandardMtu = 1500;
constexpr std::uint32_t kMtuMax = 65'535;
constexpr std::size_t kInterfaceNameMax = 15;  // IFNAMSIZ without its end

auto wrong(std::string what) {
  return fail_with(Errc::invalid_argument, 0, std::move(what));
}

Result<std::uint32_t> bytes_of(std::string_view name, const std::string& text) {
  const auto number = parse_unsigned(text);
  if (!number || *number > kMtuMax) {
    return wrong(fmt::format("{}: '{}' (expected 0 to {})", name, text, kMtuMax));
  }
  return static_cast<std::uint32_t>(*number);
}

Result<std::string> interface_of(const std::string& device) {
  constexpr std::string_view kDevices = "/dev/";
  std::string name = device.starts_with(kDevices) ? device.substr(kDevices.size()) : device;
  if (name.empty() || name.size() > kInterfaceNameMax || name.find('/') != std::string::npos) {
    return wrong(fmt::format("'{}' is no network device (like /dev/eth1)", device));
  }
  return name;
}

// The smallest MTU of use carries a sector; 0 stands for the device's own.
Result<void> set_mtu(Channel& channel, std::uint32_t mtu_bytes, const std::string& as_written) {
  if (mtu_bytes != 0 && mtu_bytes < kAtaOverheadBytes + kSectorBytes) {
    return wrong(fmt::format("{}: too small for a sector (at least mtu {}, maxdata {})", as_written,
                             kAtaOverheadBytes + kSectorBytes, kSectorBytes));
  }
  channel.mtu_bytes = mtu_bytes;
  return {};
}

// Takes one setting from the front of `words`.
Result<void> take_setting(Channel& channel, std::span<const std::string>& words) {
  const std::string name = words.front();
  words = words.subspan(1);
  if (name == "jumbo" || name == "nojumbo") {
    return set_mtu(channel, name == "jumbo" ? 0 : kStandardMtu, name);
  }
  if (name != "mtu" && name != "maxdata") {
    return wrong(fmt::format("'{}': expected mtu, maxdata, jumbo or nojumbo", name));
  }
  if (words.empty()) {
    return wrong(name + ": its number is missing");
  }
  AOE_TRY_ASSIGN(const std::uint32_t bytes, bytes_of(name, words.front()));
  const std::string as_written = name + " " + words.front();
  words = words.subspan(1);
  return set_mtu(channel,
                 name == "mtu" ? bytes : bytes / kSectorBytes * kSectorBytes + kAtaOverheadBytes,
                 as_written);
}

void add_channel(AoeConf& conf, Channel channel) {
  for (const Channel& other : conf.channels) {
    if (other.number == channel.number) {
      conf.problems.push_back({channel.line, fmt::format("aoechan {} stands in line {} already",
                                                         channel.number, other.line)});
      return;
    }
    if (other.interface == channel.interface) {
      conf.problems.push_back(
          {channel.line,
           fmt::format("{} is aoechan {} already (line {}): channels may not share it",
                       channel.interface, other.number, other.line)});
      return;
    }
  }
  conf.channels.push_back(std::move(channel));
}

}  // namespace

std::string problems_text(std::string_view path, const std::vector<ConfigProblem>& problems) {
  std::string text;
  for (const ConfigProblem& problem : problems) {
    text += fmt::format("{}:{}: {}\n", path, problem.line, problem.text);
  }
  return text;
}

std::vector<std::string> split_words(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  std::vector<std::string> words;
  for (;;) {
    const std::size_t start = line.find_first_not_of(kBlanks);
    if (start == std::string_view::npos) {
      return words;
    }
    line = line.substr(start);
    const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
    words.emplace_back(line.substr(0, end));
    line = line.substr(end);
  }
}

Result<Channel> parse_channel(std::span<const std::string> words) {
  constexpr std::size_t kFixedWords = 4;
  if (words.empty() || words[0] != "aoechan") {
    return wrong(fmt::format("'{}': expected aoechan", words.empty() ? "" : words[0]));
  }
  if (words.size() < kFixedWords) {
    return wrong("expected aoechan N ether DEVICE");
  }
  const auto number = parse_unsigned(words[1]);
  if (!number || *number > kChannelMax) {
    return wrong(fmt::format("aoechan '{}' (expected 0 to {})", words[1], kChannelMax));
  }
  if (words[2] != "ether") {
    return wrong(fmt::format("'{}': expected ether", words[2]));
  }
  Channel channel;
  channel.number = static_cast<std::uint32_t>(*number);
  AOE_TRY_ASSIGN(channel.interface, interface_of(words[3]));
  std::span<const std::string> settings = words.subspan(kFixedWords);
  while (!settings.empty()) {
    AOE_TRY(take_setting(channel, settings));
  }
  return channel;
}

AoeConf parse_aoe_conf(std::string_view text) {
  AoeConf conf;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::vector<std::string> words =
        split_words(text.substr(0, end).substr(0, text.substr(0, end).find('#')));
    text = text.substr(std::min(end + 1, text.size()));
    if (words.empty()) {
      continue;
    }
    if (auto channel = parse_channel(words)) {
      channel->line = line;
      add_channel(conf, *std::move(channel));
    } else {
      conf.problems.push_back({line, channel.error().message});
    }
  }
  return conf;
}

std::string to_string(const Channel& channel) {
  return fmt::format("aoechan {} ether /dev/{}{}", channel.number, channel.interface,
                     channel.mtu_bytes == 0 ? "" : fmt::format(" mtu {}", channel.mtu_bytes));
}

}  // namespace aoe::compat::solaris
