#include "target/target_types.h"

namespace aoe::target {

const char* export_state_name(ExportState state) {
  switch (state) {
    case ExportState::probing:
      return "probing";
    case ExportState::conflict:
      return "conflict";
    case ExportState::online:
      return "online";
    case ExportState::offline:
      return "offline";
    case ExportState::removing:
      return "removing";
  }
  return "unknown";
}

const char* export_health_name(ExportHealth health) {
  switch (health) {
    case ExportHealth::ok:
      return "ok";
    case ExportHealth::stalled:
      return "stalled";
    case ExportHealth::failed:
      return "failed";
  }
  return "unknown";
}

const char* write_mode_name(WriteMode mode) {
  switch (mode) {
    case WriteMode::write_through:
      return "write-through";
    case WriteMode::write_back:
      return "write-back";
    case WriteMode::read_only:
      return "read-only";
  }
  return "unknown";
}

}  // namespace aoe::target
