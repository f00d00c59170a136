#include "targetd/config.h"

namespace aoe::targetd {

std::string_view to_string(ExportMode mode) {
  switch (mode) {
    case ExportMode::write_through:
      return "write-through";
    case ExportMode::write_back:
      return "write-back";
    case ExportMode::read_only:
      return "read-only";
  }
  return "?";
}

std::string_view to_string(DirectIo direct) {
  switch (direct) {
    case DirectIo::automatic:
      return "auto";
    case DirectIo::on:
      return "on";
    case DirectIo::off:
      return "off";
  }
  return "?";
}

}  // namespace aoe::targetd
