// The descriptor of /dev/fuse: requests in, answers and notices out.
#pragma once

#include "base/bytes.h"

#include <linux/fuse.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace aoe::fuse {

// One request: its header, and what follows it.
struct Request {
  fuse_in_header header{};
  ConstByteSpan body;

  // The fixed part of the body; nullopt when the body is too short to hold it, which the kernel
  // does not do.
  template <class Fixed>
  [[nodiscard]] std::optional<Fixed> fixed() const {
    if (body.size() < sizeof(Fixed)) {
      return std::nullopt;
    }
    Fixed value{};
    copy_bytes(std::as_writable_bytes(std::span(&value, 1)), body.first(sizeof(Fixed)));
    return value;
  }

  // The bytes behind the fixed part.
  template <class Fixed>
  [[nodiscard]] ConstByteSpan rest() const {
    return body.subspan(body.size() < sizeof(Fixed) ? body.size() : sizeof(Fixed));
  }
};

// The descriptor stays its owner's. Answers are never held back: the kernel takes them at once.
class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}

  enum class ReadResult : std::uint8_t {
    request,
    none,    // for now
    closed,  // somebody unmounted
  };

  // Takes the next request into `buffer`.
  [[nodiscard]] ReadResult read(ByteSpan buffer, Request& request);

  // `os_errno` 0 and a body, or an error without one.
  void answer(std::uint64_t unique, int os_errno, ConstByteSpan body = {});

  template <class Out>
  void answer_with(std::uint64_t unique, const Out& out) {
    answer(unique, 0, std::as_bytes(std::span(&out, 1)));
  }

  // The size of the file may have changed.
  void invalidate_attributes(std::uint64_t node_id);

  // Has the kernel send again what was read and is not answered: by another process on this
  // descriptor. False: this kernel cannot (before Linux 6.9).
  [[nodiscard]] bool ask_again();

  [[nodiscard]] int fd() const { return fd_; }

  // Answers that the kernel did not take. Only ever grows.
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  int fd_;
  std::uint64_t failures_ = 0;
};

}  // namespace aoe::fuse
