// aoed.conf: which disks there are, by instance number, in the form of driver.conf(4).
#pragma once

#include "compat/solaris/config_problem.h"
#include "compat/solaris/target_address.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat::solaris {

// The largest instance number of any machine that the package ran on (64-bit SPARC).
inline constexpr std::uint32_t kInstanceMax = 330'382'099;

struct AoedDevice {
  std::uint32_t instance = 0;
  TargetAddress address;
  std::optional<std::uint32_t> timeout_ms;
  std::optional<std::uint32_t> heads;  // both of these or neither
  std::optional<std::uint32_t> sectors_per_track;
  std::optional<std::uint32_t> data_bytes_max;
  std::optional<std::uint32_t> commands_max;
  std::size_t line = 0;  // of its first word

  friend bool operator==(const AoedDevice&, const AoedDevice&) = default;
};

struct AoedConf {
  std::vector<AoedDevice> devices;  // the good ones, in their order
  std::vector<ConfigProblem> problems;
};

// Entries `name="aoed" parent="pseudo" instance=I aoechan=C aoemaj=M aoemin=N;`, with timeout hd
// sec maxdata maxbuf as they like; # begins a comment. An entry may go over lines, its semicolon
// ends it. An entry without a name sets properties of the driver, of which there are none: it is a
// problem. So is an instance that stands twice. hd without sec, or sec without hd, is ignored, as
// the driver did.
[[nodiscard]] AoedConf parse_aoed_conf(std::string_view text);

// The line that aoemkconf prints, with its line end.
[[nodiscard]] std::string aoed_entry(std::uint32_t instance, const TargetAddress& address);

}  // namespace aoe::compat::solaris
