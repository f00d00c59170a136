// What main() of a daemon does.
#pragma once

#include "config/daemon_command_line.h"
#include "config/toml_document.h"
#include "daemon/log.h"
#include "os/scheduling.h"

#include <fmt/format.h>

#include <string>
#include <variant>
#include <vector>

namespace aoe::daemon {

// Exit statuses of a daemon, besides that of a command that it runs.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitMisused = 2;  // bad configuration, files that cannot be used included

// `Options` is a DaemonOptions, `Config` a DaemonConfig.
template <class Options, class Config>
struct Program {
  const char* name = "";
  std::variant<Options, config::PrintedText, config::Diagnostics> (*parse)(
      const std::vector<std::string>& arguments) = nullptr;
  config::Loaded<Config> (*load)(const Options&) = nullptr;
  std::string (*dump)(const Config&) = nullptr;
  int (*serve)(const Options&, const Config&) = nullptr;
};

// Command line, configuration, and then what was asked for; returns the exit status.
template <class Options, class Config>
[[nodiscard]] int run_program(const Program<Options, Config>& program, int argc,
                              const char* const* argv) {
  start_log(program.name);
  const auto command_line = program.parse(config::arguments_of(argc, argv));
  if (const auto* printed = std::get_if<config::PrintedText>(&command_line)) {
    fmt::print("{}", printed->text);
    return kExitOk;
  }
  if (const auto* wrong = std::get_if<config::Diagnostics>(&command_line)) {
    say(*wrong);
    return kExitMisused;
  }
  const auto& options = std::get<Options>(command_line);
  const config::Loaded<Config> loaded = program.load(options);
  say(loaded.diagnostics);
  if (!loaded.diagnostics.ok()) {
    return kExitMisused;
  }
  switch (options.action) {
    case config::Action::check_config:
      return kExitOk;
    case config::Action::dump_config:
      fmt::print("{}", program.dump(loaded.config));
      return kExitOk;
    case config::Action::serve:
      break;
  }
  set_log_level(loaded.config.log_level);
  // Before there are threads: all of them serve requests.
  os::ask_for_short_slices();
  return program.serve(options, loaded.config);
}

}  // namespace aoe::daemon
