#include "daemon/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace aoe::daemon {
namespace {

using config::LogLevel;

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::trace:
      return spdlog::level::trace;
  }
  return spdlog::level::info;
}

}  // namespace

void start_log(const std::string& program) {
  auto logger =
      std::make_shared<spdlog::logger>(program, std::make_shared<spdlog::sinks::stderr_sink_st>());
  logger->set_pattern("%n: %v");
  spdlog::set_default_logger(std::move(logger));
}

void set_log_level(LogLevel level) {
  spdlog::set_level(spdlog_level(level));
}

void say(const LogLine& line) {
  switch (line.severity) {
    case Severity::info:
      spdlog::info("{}", line.text);
      return;
    case Severity::warning:
      spdlog::warn("{}", line.text);
      return;
    case Severity::error:
      spdlog::error("{}", line.text);
      return;
  }
}

void say(const config::Diagnostics& diagnostics) {
  for (const config::Diagnostic& warning : diagnostics.warnings) {
    spdlog::warn("{}", to_string(warning));
  }
  for (const config::Diagnostic& error : diagnostics.errors) {
    spdlog::error("{}", to_string(error));
  }
}

}  // namespace aoe::daemon
