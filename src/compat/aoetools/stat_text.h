// What aoe-stat prints.
#pragma once

#include "compat/aoetools/driver.h"

#include <span>
#include <string>
#include <vector>

namespace aoe::compat::aoetools {

// One line a device, sorted as texts, without line ends. A column for the payload where at least
// one device has that file, as drivers have since aoe6-60.
[[nodiscard]] std::vector<std::string> stat_lines(std::span<const DeviceFiles> devices);

// In units of 10^6 bytes, with the point before the last three digits: "0.104GB".
[[nodiscard]] std::string size_column(std::uint64_t sectors);

}  // namespace aoe::compat::aoetools
