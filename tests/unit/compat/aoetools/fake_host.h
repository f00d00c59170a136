// A host with directories of its own, and a control file that is a terminal: what is written into
// it can be read back, and it is a character device, as the driver's files are.
#pragma once

#include "compat/program.h"
#include "os/fd.h"
#include "support/temp_dir.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace aoe::compat::aoetools {

class FakeHost {
 public:
  FakeHost() {
    places.sys = dir_.path("sys");
    places.dev = dir_.path("dev");
    places.proc = dir_.path("proc");
    places.run = dir_.path("run");
    for (const std::string& place :
         {places.sys + "/block", places.dev + "/etherd", places.proc, places.run}) {
      std::filesystem::create_directories(place);
    }
  }

  static void write(const std::string& path, std::string_view text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }

  // sysfs of one disk.
  void add_disk(const std::string& name, const char* size, const char* netif, const char* payload,
                const char* state) const {
    const std::string disk = places.sys + "/block/etherd!" + name + "/";
    write(disk + "size", size);
    write(disk + "netif", netif);
    write(disk + "payload", payload);
    write(disk + "state", state);
    write(disk + "dev", "152:16\n");
  }

  // dev/etherd/NAME as a character device.
  void add_control_file(const char* name) {
    terminal_ = os::Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ::grantpt(terminal_.get());
    ::unlockpt(terminal_.get());
    std::array<char, 128> path{};
    ::ptsname_r(terminal_.get(), path.data(), path.size());
    other_end_ = os::Fd(::open(path.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    termios settings{};
    ::tcgetattr(other_end_.get(), &settings);
    ::cfmakeraw(&settings);
    ::tcsetattr(other_end_.get(), TCSANOW, &settings);
    std::filesystem::create_symlink(path.data(), places.dev + "/etherd/" + name);
  }

  // What was written into the control file.
  [[nodiscard]] std::string written() const {
    std::string text;
    pollfd ready{.fd = terminal_.get(), .events = POLLIN, .revents = 0};
    std::array<char, 256> piece{};
    while (::poll(&ready, 1, 0) > 0 && (ready.revents & POLLIN) != 0) {
      const ssize_t bytes = ::read(terminal_.get(), piece.data(), piece.size());
      if (bytes <= 0) {
        break;
      }
      text.append(piece.data(), static_cast<std::size_t>(bytes));
    }
    return text;
  }

  [[nodiscard]] Call call(std::string name, std::vector<std::string> arguments = {}) const {
    return {.name = name, .arguments = std::move(arguments), .called = name, .places = places};
  }

  Places places;

 private:
  testing::TempDir dir_;
  os::Fd terminal_;
  os::Fd other_end_;  // stays open: a terminal whose other end was closed reads as an error
};

}  // namespace aoe::compat::aoetools
