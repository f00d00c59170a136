#include "tools/exit_status.h"

namespace aoe::tools {

ExitStatus exit_status_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return ExitStatus::misused;
    case Errc::timed_out:
      return ExitStatus::timed_out;
    case Errc::not_found:
      return ExitStatus::not_found;
    case Errc::io:
    case Errc::already_exists:
    case Errc::busy:
    case Errc::not_permitted:
    case Errc::unsupported:
    case Errc::corrupt:
    case Errc::no_space:
    case Errc::unavailable:
      return ExitStatus::failed;
  }
  return ExitStatus::failed;
}

}  // namespace aoe::tools
