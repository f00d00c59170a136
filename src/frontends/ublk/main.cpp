// aoe-ublk: an ATA over Ethernet disk as a ublk block device. aoe-ublk(8) is its manual.
#include "frontends/ublk/control.h"
#include "frontends/ublk/guard.h"
#include "frontends/ublk/options.h"
#include "frontends/ublk/server.h"

#include <fmt/format.h>

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitMisused = 2;

void complain(const std::string& message) {
  if (!message.empty()) {
    fmt::print(stderr, "aoe-ublk: {}\n", message);
  }
}

bool is_gone(std::uint32_t number) {
  const auto control = aoe::ublk::Control::open();
  if (!control) {
    return false;
  }
  const auto info = (*control)->info(number);
  return !info && info.error().code == aoe::Errc::not_found;
}

int run_guarded(const aoe::ublk::Options& options) {
  const auto number = aoe::ublk::start_guarded(options);
  if (!number) {
    complain(number.error().message);
    return kExitFailed;
  }
  fmt::print("{}\n", aoe::ublk::block_device_path(*number));
  return kExitOk;
}

int run_here(const aoe::ublk::Options& options) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  const auto served =
      aoe::ublk::serve(options, [](std::uint32_t number, const std::string& serial) {
        fmt::print("{}\n", to_string(aoe::ublk::ReadyLine{number, serial}));
        (void)std::fflush(stdout);
      });
  if (!served) {
    complain(served.error().message);
    (void)std::fflush(nullptr);
    // A device that is gone needs no further server. Threads may be waiting: they end with us.
    ::_exit(options.resume && is_gone(*options.resume) ? kExitOk : kExitFailed);
  }
  return kExitOk;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const auto options = aoe::ublk::parse_options(arguments);
  if (!options) {
    complain(options.error().message);
    return kExitMisused;
  }
  if (options->wants_help) {
    fmt::print("{}", aoe::ublk::kHelp);
    return kExitOk;
  }
  if (options->wants_version) {
    fmt::print("aoe-ublk {}\n", AOE_VERSION);
    return kExitOk;
  }
  return options->is_foreground ? run_here(*options) : run_guarded(*options);
}
