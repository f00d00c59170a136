#include "os/notify.h"

#include "os/clock.h"

#include <fmt/format.h>

#include <systemd/sd-daemon.h>

#include <algorithm>

namespace aoe::os {
namespace {

void notify(const std::string& text) {
  static_cast<void>(sd_notify(0, text.c_str()));
}

// A line break would end the field and start another one.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

void ServiceNotifier::ready(const std::string& status) const {
  notify(fmt::format("READY=1\nSTATUS={}", one_line(status)));
}

void ServiceNotifier::reloading() const {
  notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", monotonic_now().ns / 1000));
}

void ServiceNotifier::stopping() const {
  notify("STOPPING=1");
}

void ServiceNotifier::status(const std::string& text) const {
  notify(fmt::format("STATUS={}", one_line(text)));
}

void ServiceNotifier::watchdog() const {
  notify("WATCHDOG=1");
}

std::optional<Duration> ServiceNotifier::watchdog_interval() const {
  std::uint64_t usec = 0;
  if (sd_watchdog_enabled(0, &usec) <= 0) {
    return std::nullopt;
  }
  constexpr std::uint64_t kLongestUsec = std::uint64_t{86'400} * 1'000'000;
  return Duration::microseconds(static_cast<std::int64_t>(std::min(usec, kLongestUsec)));
}

}  // namespace aoe::os
