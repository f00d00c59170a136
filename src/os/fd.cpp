#include "os/fd.h"

#include <unistd.h>

namespace aoe::os {

void Fd::reset() noexcept {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

}  // namespace aoe::os
