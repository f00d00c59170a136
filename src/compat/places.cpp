#include "compat/places.h"

#include "os/environment.h"

namespace aoe::compat {
namespace {

void take(std::string& place, const char* variable) {
  const char* const value = os::environment(variable);
  if (value != nullptr && *value != '\0') {
    place = value;
  }
}

}  // namespace

Places places_of_environment() {
  Places places;
  take(places.sys, "sysfs_dir");
  take(places.dev, "dev_dir");
  take(places.proc, "proc_dir");
  take(places.run, "run_dir");
  return places;
}

}  // namespace aoe::compat
