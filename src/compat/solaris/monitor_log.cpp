#include "compat/solaris/monitor_log.h"

#include <fmt/format.h>

#include <syslog.h>

namespace aoe::compat::solaris {
namespace {

int priority_of(Severity severity) {
  switch (severity) {
    case Severity::info:
      return LOG_INFO;
    case Severity::notice:
      return LOG_NOTICE;
    case Severity::error:
      return LOG_ERR;
  }
  return LOG_ERR;
}

}  // namespace

SystemLog::SystemLog() {
  ::openlog("aoemon", LOG_PID, LOG_DAEMON);
}

SystemLog::~SystemLog() {
  ::closelog();
}

void SystemLog::say(Severity severity, const std::string& text) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): the one interface that there is
  ::syslog(priority_of(severity), "%s", text.c_str());
}

void ErrorLog::say(Severity severity, const std::string& text) {
  console_.error(fmt::format("aoemon: {}: {}\n", severity_name(severity), text));
}

}  // namespace aoe::compat::solaris
