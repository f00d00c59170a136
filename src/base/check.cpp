#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace aoe {

void check_failed(const char* condition, const char* why, const char* file, int line) {
  // The program may be in any state: no allocation, no logger.
  std::fprintf(stderr, "%s:%d: check failed: %s (%s)\n", file, line, condition, why);
  std::abort();
}

}  // namespace aoe
