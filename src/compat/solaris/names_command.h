// aoectl names: what devfsadm did on Solaris.
#pragma once

#include "base/result.h"
#include "compat/solaris/arguments.h"
#include "compat/solaris/daemon_link.h"

#include <string>

namespace aoe::compat::solaris {

struct NamesWish {
  DaemonPlaces places;
  std::string sys;          // where sysfs is
  std::string root;         // holds dsk and rdsk
  const std::string* conf;  // aoed.conf; nullptr: the standard numbers
};

// Links for every disk of an active channel that is attached to a block device; others are removed.
// Slices without a node are said on standard error, and no failure. Errors: those of the daemon,
// the files and the directories. A disk that cannot be read gets the name of the whole disk, and
// the first such error comes back when all others are done.
[[nodiscard]] Result<void> make_names(const NamesWish& wish, Console& console);

}  // namespace aoe::compat::solaris
