// Runs a program to its end, or until it has gone into the background.
#pragma once

#include "base/result.h"

#include <string>
#include <vector>

namespace aoe::os {

struct ProgramOutcome {
  int status = 0;        // exit status, or 128 + the number of the signal that ended it
  std::string output{};  // what it wrote to standard output
  std::string errors{};  // and to standard error, without the last line end
};

// Runs arguments[0], looked for in PATH unless it has a slash, in a session of its own, with no
// signal blocked or ignored, standard input empty, and no descriptor of ours that is not
// close-on-exec above standard error. Blocks until it has ended; what it has left in the background
// goes on. Errors: not_found (no such program), io.
[[nodiscard]] Result<ProgramOutcome> run_program(const std::vector<std::string>& arguments);

// Whether a program of this name is in PATH.
[[nodiscard]] bool is_in_path(const std::string& name);

// The absolute path of this process's own executable; empty when it cannot be told.
[[nodiscard]] std::string own_executable();

}  // namespace aoe::os
