// Tables as kstat(1M) prints them.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aoe::compat::solaris {

struct KstatTable {
  std::uint32_t instance = 0;
  std::string name;  // "stats" or "conf"
  // Sorted by name when they are printed; crtime and snaptime are added.
  std::vector<std::pair<std::string, std::string>> values;
  Duration crtime{};    // since the boot: when counting began
  Duration snaptime{};  // since the boot: now
};

// module: aoed                            instance: 5
// name:   aoed5,stats                     class:    misc
//         atarcv                          316771
//         ..
//
// with an empty line at the end.
[[nodiscard]] std::string kstat_text(const KstatTable& table);

}  // namespace aoe::compat::solaris
