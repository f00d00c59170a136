// aoe-targetd: exports files, block devices and memory as ATA over Ethernet disks.
#include "targetd/config_dump.h"
#include "targetd/daemon.h"
#include "targetd/options.h"

#include <fmt/format.h>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>
#include <variant>

namespace {

using namespace aoe::targetd;  // NOLINT(google-build-using-namespace): this file is the program

void print_all(const Diagnostics& diagnostics) {
  for (const Diagnostic& warning : diagnostics.warnings) {
    spdlog::warn("{}", to_string(warning));
  }
  for (const Diagnostic& error : diagnostics.errors) {
    spdlog::error("{}", to_string(error));
  }
}

// One line a message on standard error: "aoe-targetd: e7.1: ...". Times are the journal's business.
void start_log() {
  auto logger = std::make_shared<spdlog::logger>("aoe-targetd",
                                                 std::make_shared<spdlog::sinks::stderr_sink_st>());
  logger->set_pattern("%n: %v");
  spdlog::set_default_logger(std::move(logger));
}

int serve(const Options& options) {
  const LoadedConfig loaded = load_config(options);
  print_all(loaded.diagnostics);
  if (!loaded.diagnostics.ok()) {
    return kExitMisused;
  }
  if (options.action == Action::dump_config) {
    fmt::print("{}", dump(loaded.config));
    return kExitOk;
  }
  if (options.action == Action::check_config) {
    return kExitOk;
  }
  Daemon daemon(options);
  return daemon.run(loaded.config);
}

}  // namespace

int main(int argc, char** argv) {
  start_log();
  const CommandLine command_line = parse_command_line(argc, argv);
  if (const auto* printed = std::get_if<PrintedText>(&command_line)) {
    fmt::print("{}", printed->text);
    return kExitOk;
  }
  if (const auto* diagnostics = std::get_if<Diagnostics>(&command_line)) {
    print_all(*diagnostics);
    return kExitMisused;
  }
  return serve(std::get<Options>(command_line));
}
