// An owned file descriptor.
#pragma once

#include <utility>

namespace aoe::os {

// Closes its descriptor when destroyed. Move-only; an empty one holds -1.
//
// A close that fails is not reported: on Linux the descriptor is gone either way, and whoever needs
// to know that data arrived asks fdatasync first.
class Fd {
 public:
  Fd() = default;

  explicit Fd(int fd) : fd_(fd) {}  // takes ownership; any negative value makes an empty one

  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  ~Fd() { reset(); }

  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }

  [[nodiscard]] int get() const { return fd_; }

  // Gives up ownership: the caller closes it.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

  // Closes it now.
  void reset() noexcept;

 private:
  int fd_ = -1;
};

}  // namespace aoe::os
