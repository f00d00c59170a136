// /etc/aoe.conf: which network interfaces are AoE channels.
#pragma once

#include "base/result.h"
#include "compat/solaris/config_problem.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat::solaris {

struct Channel {
  std::uint32_t number = 0;     // 0..9
  std::string interface;        // "eth1"; also written /dev/eth1
  std::uint32_t mtu_bytes = 0;  // 0: what the interface allows
  std::size_t line = 0;         // where it stands; 0 outside of a file

  friend bool operator==(const Channel&, const Channel&) = default;
};

// The words of one line, which are also the arguments of aoestart:
//
//   aoechan N ether DEVICE [mtu BYTES | maxdata BYTES | jumbo | nojumbo]..
//
// maxdata is rounded down to a multiple of 512 and means an MTU of 22 more; jumbo is mtu 0, nojumbo
// mtu 1500. Of several the last one counts. Errors: invalid_argument, in words without a place.
[[nodiscard]] Result<Channel> parse_channel(std::span<const std::string> words);

struct AoeConf {
  std::vector<Channel> channels;  // the good ones, in their order
  std::vector<ConfigProblem> problems;
};

// A line a channel; what follows # is a comment, empty lines are ignored. No number and no device
// stands twice.
[[nodiscard]] AoeConf parse_aoe_conf(std::string_view text);

// The words of `channel` as parse_channel takes them.
[[nodiscard]] std::string to_string(const Channel& channel);

// Words between blanks and tabs.
[[nodiscard]] std::vector<std::string> split_words(std::string_view line);

}  // namespace aoe::compat::solaris
