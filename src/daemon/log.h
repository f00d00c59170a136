// What a daemon says on standard error.
#pragma once

#include "config/daemon_config.h"
#include "config/diagnostics.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace aoe::daemon {

enum class Severity : std::uint8_t { info, warning, error };

// A line of the log, without the program's name.
struct LogLine {
  Severity severity = Severity::info;
  std::string text;  // "e7.1: store error: io at sector 17 (3 in this burst)"
};

// One line a message: "aoe-targetd: e7.1: ...". Times are the journal's business. Call it first of
// all; everything goes through spdlog's default logger from then on.
void start_log(const std::string& program);

void set_log_level(config::LogLevel level);

void say(const LogLine& line);

// Warnings first, then errors.
void say(const config::Diagnostics& diagnostics);

}  // namespace aoe::daemon
