#include "os/environment.h"

#include <cstdlib>

namespace aoe::os {

const char* environment(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): unsafe beside setenv, which is not called
  return std::getenv(name);
}

}  // namespace aoe::os
