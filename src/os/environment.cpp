#include "os/environment.h"

#include <cstdlib>

namespace aoe::os {

const char* environment(const char* name) {
  return std::getenv(
      name);  // NOLINT(concurrency-mt-unsafe): unsafe beside setenv, which is not called
}

}  // namespace aoe::os
