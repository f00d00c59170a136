#include "os/loop_device.h"

#include "os/error_text.h"
#include "os/fd.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <string_view>
#include <thread>
#include <utility>

namespace aoe::os {
namespace {

constexpr const char* kControl = "/dev/loop-control";
constexpr unsigned kSectorBytes = 512;
// Others take free devices too: so often is tried again.
constexpr int kTakeTries = 64;
// Programs that look at every new or changed block device (udev) hold it for a moment.
constexpr int kWaits = 200;
constexpr std::chrono::milliseconds kWait{10};

std::string sysfs_line(const std::string& device, const char* attribute) {
  const std::string name = device.substr(device.rfind('/') + 1);
  std::ifstream file("/sys/block/" + name + "/loop/" + attribute);
  std::string line;
  std::getline(file, line);
  return line;
}

// The device node of a loop device that was just made may come a little later.
Fd open_device(const std::string& device, int flags) {
  Fd fd;
  for (int i = 0; i < kWaits && !fd; ++i) {
    fd = Fd(::open(device.c_str(), flags | O_CLOEXEC));
    if (!fd && errno != ENOENT) {
      break;
    }
    if (!fd) {
      std::this_thread::sleep_for(kWait);
    }
  }
  return fd;
}

Result<void> configure(const Fd& device, const Fd& file, const LoopOptions& options) {
  loop_config config{};
  config.fd = static_cast<__u32>(file.get());
  config.block_size = kSectorBytes;
  config.info.lo_flags = LO_FLAGS_DIRECT_IO | LO_FLAGS_PARTSCAN;
  if (options.access == LoopAccess::read_only) {
    config.info.lo_flags |= LO_FLAGS_READ_ONLY;
  }
  options.file.copy(reinterpret_cast<char*>(config.info.lo_file_name), LO_NAME_SIZE - 1);
  if (::ioctl(device.get(), LOOP_CONFIGURE, &config) != 0) {
    return fail(os_error(errno, fmt::format("{}: attach to a loop device", options.file)));
  }
  return {};
}

}  // namespace

Result<void> check_loop() {
  if (::access(kControl, F_OK) != 0) {
    return fail_with(
        Errc::unsupported, errno,
        fmt::format("this kernel has no loop devices ({} is missing: modprobe loop)", kControl));
  }
  return {};
}

Result<std::string> attach_loop(const LoopOptions& options) {
  const int access = options.access == LoopAccess::read_only ? O_RDONLY : O_RDWR;
  const Fd file(::open(options.file.c_str(), access | O_CLOEXEC));
  if (!file) {
    return fail(os_error(errno, fmt::format("{}: open", options.file)));
  }
  const Fd control(::open(kControl, O_RDWR | O_CLOEXEC));
  if (!control) {
    return fail(os_error(errno, fmt::format("{}: open", kControl)));
  }
  for (int i = 0; i < kTakeTries; ++i) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) {
      return fail(os_error(errno, fmt::format("{}: take a free loop device", kControl)));
    }
    const std::string device = fmt::format("/dev/loop{}", number);
    const Fd taken = open_device(device, O_RDWR);
    if (!taken) {
      return fail(os_error(errno, fmt::format("{}: open", device)));
    }
    if (auto configured = configure(taken, file, options); !configured) {
      if (configured.error().os_errno == EBUSY) {
        continue;  // somebody was faster
      }
      return fail(std::move(configured).error());
    }
    // The kernel falls back to its cache without a word.
    if (sysfs_line(device, "dio") != "1") {
      (void)::ioctl(taken.get(), LOOP_CLR_FD);
      return fail_with(Errc::unsupported, 0,
                       fmt::format("{}: attach to a loop device: this kernel does no direct I/O "
                                   "with the file",
                                   options.file));
    }
    return device;
  }
  return fail_with(Errc::busy, EBUSY,
                   fmt::format("{}: every free loop device was taken by somebody else", kControl));
}

std::string loop_file(const std::string& device) {
  // A file system may forget the name of an open file: FUSE does when it fails to look it up.
  constexpr std::string_view kForgotten = " (deleted)";
  std::string file = sysfs_line(device, "backing_file");
  if (file.ends_with(kForgotten)) {
    file.resize(file.size() - kForgotten.size());
  }
  return file;
}

Result<void> detach_loop(const std::string& device) {
  // Exclusively: not under a file system, swap, or another device that claims it.
  Fd taken(::open(device.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
  if (!taken) {
    return fail(os_error(errno, fmt::format("{}: detach: open it alone", device)));
  }
  if (::ioctl(taken.get(), LOOP_CLR_FD) != 0 && errno != ENXIO) {
    return fail(os_error(errno, fmt::format("{}: detach", device)));
  }
  taken.reset();
  // It goes with the last one who has it open.
  for (int i = 0; i < kWaits; ++i) {
    if (loop_file(device).empty()) {
      return {};
    }
    std::this_thread::sleep_for(kWait);
  }
  return fail_with(
      Errc::busy, EBUSY,
      fmt::format("{}: detach: a program has it open; it goes when that closes it", device));
}

Result<void> update_loop_size(const std::string& device) {
  const Fd taken(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
  if (!taken) {
    return fail(os_error(errno, fmt::format("{}: open", device)));
  }
  // Older kernels take the size that they last heard of, so they are told to ask.
  const std::string file = loop_file(device);
  (void)::access(file.c_str(), F_OK);
  if (::ioctl(taken.get(), LOOP_SET_CAPACITY) != 0) {
    return fail(os_error(errno, fmt::format("{}: take over the size of {}", device, file)));
  }
  return {};
}

}  // namespace aoe::os
