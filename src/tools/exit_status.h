// The exit status of the `aoe` program.
#pragma once

#include "base/error.h"

namespace aoe::tools {

// Part of the program's contract: scripts depend on the numbers.
enum class ExitStatus : int {
  ok = 0,
  failed = 1,
  misused = 2,    // the command line asks for something that makes no sense
  timed_out = 3,  // somebody is there, but an answer did not come in time
  not_found = 4,  // no target, export or file of that name
};

// The one mapping from errors to exit statuses.
[[nodiscard]] ExitStatus exit_status_of(Errc code);

}  // namespace aoe::tools
