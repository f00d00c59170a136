// The names of disks and slices in /dev: what devfsadm did on Solaris.
#pragma once

#include "base/result.h"
#include "control/client.h"

#include <string>
#include <vector>

namespace aoe::compat::solaris {

struct NamesWish {
  std::string channels;       // directory of the active channels
  std::string sys;            // where sysfs is
  std::string root;           // holds dsk and rdsk
  const std::string* conf{};  // aoed.conf; nullptr: the effective one, or the standard numbers
};

struct NamesReport {
  std::vector<std::string> unnamed;  // slices without a node, and why, a line each
  Result<void> outcome;              // the first disk that could not be read
};

// Links for every disk of an active channel that is attached to a block device; others are removed.
// Slices that Linux has no partition of become one, where Linux takes it. Errors: those of the
// daemon, the files and the directories. A disk that cannot be read gets the name of the whole
// disk.
[[nodiscard]] Result<NamesReport> make_names(control::Client& client, const NamesWish& wish);

}  // namespace aoe::compat::solaris
