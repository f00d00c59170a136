// One program for all commands of an older package: which one is meant stands in the name by which
// it was called.
#pragma once

#include "compat/console.h"
#include "compat/places.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat {

struct Call {
  std::string name;                    // of the command, as messages show it
  std::vector<std::string> arguments;  // behind the name
  std::string called;                  // argv[0], as getopt shows it
  Places places;
};

// Returns the exit status.
using CommandMain = int (*)(const Call& call, Console& console);

struct Command {
  std::string_view name;
  CommandMain run;
};

// Runs the command that argv[0] names, or, called by another name, the one that argv[1] names.
// Status 1 when standard output could not be written, 2 when there is no such command.
[[nodiscard]] int run_program(std::span<const Command> commands, int argc, const char* const* argv);

}  // namespace aoe::compat
