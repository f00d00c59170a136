#include "libaoe/last_error.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>

namespace aoe::libaoe {
namespace {

// Plain memory: it needs no construction in a thread that never asked for it, and no end.
struct LastError {
  int number = 0;
  std::array<char, 512> text{};
};

constinit thread_local LastError last_error;

}  // namespace

int errno_of(const Error& error) {
  if (error.os_errno != 0) {
    return error.os_errno;
  }
  switch (error.code) {
    case Errc::invalid_argument:
      return EINVAL;
    case Errc::not_found:
    case Errc::unavailable:
      return ENXIO;
    case Errc::already_exists:
      return EEXIST;
    case Errc::busy:
      return EAGAIN;
    case Errc::not_permitted:
      return EPERM;
    case Errc::timed_out:
      return ETIMEDOUT;
    case Errc::unsupported:
      return ENOTSUP;
    case Errc::no_space:
      return ENOSPC;
    case Errc::io:
    case Errc::corrupt:
      break;
  }
  return EIO;
}

void set_last_error(const char* call, const Error& error) {
  last_error.number = errno_of(error);
  const auto end = fmt::format_to_n(last_error.text.data(), last_error.text.size() - 1, "{}: {}",
                                    call, error.message);
  *end.out = '\0';
}

const char* last_error_text() {
  return last_error.text.data();
}

int last_error_number() {
  return last_error.number;
}

}  // namespace aoe::libaoe
