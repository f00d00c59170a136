// Where the files of this host are. Tests, and whoever looks at the host from a container, put
// other directories in their place.
#pragma once

#include <string>

namespace aoe::compat {

struct Places {
  std::string sys = "/sys";    // environment: sysfs_dir, the name that aoe-stat gave it
  std::string dev = "/dev";    // dev_dir
  std::string proc = "/proc";  // proc_dir
  std::string run = "/run";    // run_dir
};

[[nodiscard]] Places places_of_environment();

}  // namespace aoe::compat
