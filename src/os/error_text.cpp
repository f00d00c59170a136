#include "os/error_text.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace aoe::os {

std::string error_text(int os_errno) {
  std::string text = std::generic_category().message(os_errno);
  // "Input/output error" starts with a capital, "EOF.." would not survive: only the first letter of
  // a word in lower case is changed.
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

Errc errc_of_errno(int os_errno) {
  switch (os_errno) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
    case ENOTDIR:
      return Errc::not_found;
    case EEXIST:
    case EADDRINUSE:
      return Errc::already_exists;
    case EBUSY:
    case ETXTBSY:
    case EAGAIN:
      return Errc::busy;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::not_permitted;
    case EINVAL:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return Errc::invalid_argument;
    case ETIMEDOUT:
      return Errc::timed_out;
    case ENOSYS:
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
      return Errc::unsupported;
    case ENOSPC:
    case EDQUOT:
      return Errc::no_space;
    case ENETDOWN:
    case ENETUNREACH:
    case ECONNREFUSED:
    case EHOSTUNREACH:
      return Errc::unavailable;
    default:
      return Errc::io;
  }
}

Error os_error(int os_errno, std::string_view what) {
  return Error{errc_of_errno(os_errno), os_errno,
               fmt::format("{}: {}", what, error_text(os_errno))};
}

}  // namespace aoe::os
