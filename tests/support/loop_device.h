// A block device made of a file, for the time of a test.
#pragma once

#include "os/fd.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace aoe::testing {

struct LoopOptions {
  std::uint32_t block_bytes = 512;
  bool is_read_only = false;
};

// Goes with its last user, however the test ends (LO_FLAGS_AUTOCLEAR).
class LoopDevice {
 public:
  // Nothing where the machine or the privileges do not allow it: the test skips itself.
  static std::optional<LoopDevice> attach(const std::string& file,
                                          const LoopOptions& options = {}) {
    const os::Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    const os::Fd backing(::open(file.c_str(), O_RDWR | O_CLOEXEC));
    for (int attempt = 0; control && backing && attempt < 20; ++attempt) {
      const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
      if (number < 0) {
        return std::nullopt;
      }
      std::string path = "/dev/loop" + std::to_string(number);
      os::Fd device(::open(path.c_str(), O_RDWR | O_CLOEXEC));
      loop_config config{};
      config.fd = static_cast<std::uint32_t>(backing.get());
      config.block_size = options.block_bytes;
      config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
      if (options.is_read_only) {
        config.info.lo_flags |= LO_FLAGS_READ_ONLY;
      }
      if (device && ::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0) {
        return LoopDevice(std::move(path), std::move(device));
      }
      if (!device || errno != EBUSY) {  // EBUSY: another process took this number first
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] const std::string& path() const { return path_; }

  // Takes over a new size of the file.
  [[nodiscard]] bool resize() const { return ::ioctl(device_.get(), LOOP_SET_CAPACITY, 0) == 0; }

 private:
  LoopDevice(std::string path, os::Fd device)
      : path_(std::move(path)), device_(std::move(device)) {}

  std::string path_;
  os::Fd device_;
};

}  // namespace aoe::testing
