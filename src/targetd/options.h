// The command line of aoe-targetd, and the configuration that it asks for.
#pragma once

#include "targetd/config.h"
#include "targetd/config_file.h"
#include "targetd/config_value.h"
#include "targetd/diagnostics.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace aoe::targetd {

enum class Action : std::uint8_t {
  serve,
  check_config,  // --check-config: load the configuration, say what is wrong, exit with 0 or 2
  dump_config,   // --dump-config: load it, print it as TOML (config_dump.h), exit with 0 or 2
};

// What the command line says, before any file is read. Kept while the daemon runs: a reload loads
// the configuration from the same options again.
struct Options {
  Action action = Action::serve;
  std::optional<std::string> config_path;  // else interfaces and exports are given, one or more
  std::vector<std::string> interfaces;     // raw -i texts
  std::vector<std::string> exports;        // raw -e texts
  std::optional<std::string> run_command;  // --run CMD, not empty
  // Keys of the daemon that an option sets, which wins over the file: "state_dir" and its value.
  std::vector<std::pair<std::string_view, ConfigValue>> overrides;
};

// --help and --version: to standard output, exit status 0.
struct PrintedText {
  std::string text;  // complete, with its last line feed
};

// Diagnostics hold at least one error; the exit status is then 2.
using CommandLine = std::variant<Options, PrintedText, Diagnostics>;

// `arguments` begin behind the program's name.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments);

// The same from main's argv, which begins with the program's name where it is not empty.
[[nodiscard]] CommandLine parse_command_line(int argc, const char* const* argv);

// Reads the file or the -i and -e texts, applies the overrides and validates. The configuration is
// good to run when its diagnostics are ok(). Blocks while reading a file.
[[nodiscard]] LoadedConfig load_config(const Options& options);

}  // namespace aoe::targetd
