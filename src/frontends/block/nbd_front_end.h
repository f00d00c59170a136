// A kernel nbd device whose other end is nbdkit with our plugin: a process of its own, with an
// initiator of its own, that outlives the daemon.
#pragma once

#include "base/result.h"
#include "frontends/block/front_end.h"

#include <string>
#include <vector>

namespace aoe::block {

// nbdkit's command line: it goes into the background once the device is open, and ends when its
// last client has hung up.
struct NbdkitPlaces {
  std::string plugin{};    // a file, or "aoe" for the one that is installed
  std::string socket{};    // to make
  std::string pid_file{};  // likewise
};

[[nodiscard]] std::vector<std::string> nbdkit_arguments(const Source& source,
                                                        const NbdkitPlaces& places);

// What of nbdkit's standard error to tell: its first error, without the program's name.
[[nodiscard]] std::string nbdkit_complaint(const std::string& errors);

struct NbdkitInstallation {
  std::string program = "nbdkit";
  std::string plugin{};  // a file, or "aoe"
};

// Whether nbdkit finds our plugin and what that needs. Errors: unsupported, with the reason;
// not_found (no nbdkit).
[[nodiscard]] Result<void> check_nbdkit(const NbdkitInstallation& installation);

// Those of the table (front_end.h).
[[nodiscard]] Result<void> check_nbd();
[[nodiscard]] Result<std::string> attach_nbd(const Source& source);

}  // namespace aoe::block
