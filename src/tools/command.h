// One command of the `aoe` program.
#pragma once

#include "base/result.h"
#include "tools/exit_status.h"

#include <memory>
#include <span>

namespace aoe::tools {

class CommandLine;

// Holds its own arguments: define() binds them, then the program parses, then run() uses them.
class Command {
 public:
  Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  virtual ~Command() = default;

  virtual void define(CommandLine& line) = 0;

  // Prints its result itself. An Error becomes "aoe: <message>" on standard error and the status of
  // exit_status_of(); a command that wants another status without a message returns it.
  [[nodiscard]] virtual Result<ExitStatus> run() = 0;
};

// A line of the command table.
struct CommandEntry {
  const char* group = "";  // "target" for `aoe target list`; "" for `aoe discover`
  const char* name = "";
  const char* summary = "";
  std::unique_ptr<Command> (*make)() = nullptr;
};

struct CommandGroup {
  const char* name = "";
  const char* summary = "";
};

// Parses the arguments against the table and runs the command. `program` is how it calls itself in
// messages.
struct Program {
  const char* name = "";
  const char* summary = "";
  const char* version = "";
  std::span<const CommandGroup> groups;
  std::span<const CommandEntry> commands;
};

[[nodiscard]] ExitStatus run_program(const Program& program, int argc, const char* const* argv);

}  // namespace aoe::tools
