#include "tools/project_version.h"

namespace aoe::tools {

const char* project_version() {
  return AOE_VERSION;
}

}  // namespace aoe::tools
