#include "os/random_seed.h"

#include "base/check.h"

#include <sys/random.h>

#include <cerrno>

namespace aoe::os {

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  ssize_t length = -1;
  do {
    length = ::getrandom(&seed, sizeof seed, 0);
  } while (length < 0 && errno == EINTR);
  // Requests of up to 256 bytes are answered whole (getrandom(2)).
  AOE_CHECK(length == static_cast<ssize_t>(sizeof seed), "the kernel has getrandom (Linux 3.17)");
  return seed;
}

}  // namespace aoe::os
