// The command line of aoe-initiatord, and the configuration that it asks for.
#pragma once

#include "config/daemon_command_line.h"
#include "config/diagnostics.h"
#include "initiatord/config_file.h"

#include <string>
#include <variant>
#include <vector>

namespace aoe::initiatord {

// -i wins over the file's interfaces.
struct Options : config::DaemonOptions {};

// Diagnostics hold at least one error; the exit status is then 2.
using CommandLine = std::variant<Options, config::PrintedText, config::Diagnostics>;

// `arguments` begin behind the program's name.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments);

// Reads the file if there is one, applies the command line and validates. The configuration is good
// to run when its diagnostics are ok(). Blocks while reading a file.
[[nodiscard]] LoadedConfig load_config(const Options& options);

}  // namespace aoe::initiatord
