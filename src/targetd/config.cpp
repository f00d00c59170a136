#include "targetd/config.h"

namespace aoe::targetd {

std::string_view to_string(ExportMode mode) {
  switch (mode) {
    case ExportMode::write_through:
      return "write-through";
    case ExportMode::write_back:
      return "write-back";
    case ExportMode::read_only:
      return "read-only";
  }
  return "?";
}

std::string_view to_string(DirectIo direct) {
  switch (direct) {
    case DirectIo::automatic:
      return "auto";
    case DirectIo::on:
      return "on";
    case DirectIo::off:
      return "off";
  }
  return "?";
}

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warning:
      return "warning";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
    case LogLevel::trace:
      return "trace";
  }
  return "?";
}

std::string to_string(const ListenAddress& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  const std::string host = is_ipv6 ? "[" + address.host + "]" : address.host;
  return host + ":" + std::to_string(address.port);
}

}  // namespace aoe::targetd
