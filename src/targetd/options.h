// The command line of aoe-targetd, and the configuration that it asks for.
#pragma once

#include "config/daemon_command_line.h"
#include "config/diagnostics.h"
#include "targetd/config_file.h"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace aoe::targetd {

struct Options : config::DaemonOptions {
  // Without a file interfaces and exports are given, one or more.
  std::vector<std::string> exports;        // raw -e texts
  std::optional<std::string> run_command;  // --run CMD, not empty
  bool replace = false;                    // --replace: the daemon that runs now ends
};

// Diagnostics hold at least one error; the exit status is then 2.
using CommandLine = std::variant<Options, config::PrintedText, config::Diagnostics>;

// `arguments` begin behind the program's name.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments);

// Reads the file or the -i and -e texts, applies the overrides and validates. The configuration is
// good to run when its diagnostics are ok(). Blocks while reading a file.
[[nodiscard]] LoadedConfig load_config(const Options& options);

}  // namespace aoe::targetd
