#include "os/notify.h"

#include "os/clock.h"
#include "os/environment.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <string_view>

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

bool ServiceNotifier::keeps_fds() const {
  const char* const limit = environment("FDSTORE");
  return limit != nullptr && std::string_view(limit) != "0" &&
         environment("NOTIFY_SOCKET") != nullptr;
}

void ServiceNotifier::keep_fd(int fd, const std::string& name) const {
  // FDPOLL=0: it is for us to say when the descriptor is of no use any more.
  const std::string text = fmt::format("FDSTORE=1\nFDNAME={}\nFDPOLL=0", name);
  static_cast<void>(sd_pid_notify_with_fds(0, 0, text.c_str(), &fd, 1));
}

void ServiceNotifier::forget_fd(const std::string& name) const {
  notify(fmt::format("FDSTOREREMOVE=1\nFDNAME={}", name));
}

std::map<std::string, os::Fd> ServiceNotifier::take_kept_fds() const {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  std::map<std::string, os::Fd> kept;
  for (int i = 0; i < count; ++i) {
    os::Fd fd(SD_LISTEN_FDS_START + i);
    (void)::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
    kept.try_emplace(names[i], std::move(fd));
    // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): the library allocated it so
    std::free(names[i]);
  }
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): likewise
  std::free(names);
  return kept;
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
