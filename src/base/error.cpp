#include "base/error.h"

namespace aoe {

const char* errc_name(Errc code) {
  switch (code) {
    case Errc::io:
      return "io";
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::not_found:
      return "not_found";
    case Errc::already_exists:
      return "already_exists";
    case Errc::busy:
      return "busy";
    case Errc::not_permitted:
      return "not_permitted";
    case Errc::timed_out:
      return "timed_out";
    case Errc::unsupported:
      return "unsupported";
    case Errc::corrupt:
      return "corrupt";
    case Errc::no_space:
      return "no_space";
    case Errc::unavailable:
      return "unavailable";
  }
  return "unknown";
}

}  // namespace aoe
