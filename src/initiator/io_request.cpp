#include "initiator/io_request.h"

namespace aoe::initiator {

const char* io_op_name(IoOp op) {
  switch (op) {
    case IoOp::read:
      return "read";
    case IoOp::write:
      return "write";
    case IoOp::flush:
      return "flush";
    case IoOp::trim:
      return "trim";
    case IoOp::write_zeroes:
      return "write zeroes";
  }
  return "unknown";
}

const char* io_status_name(IoStatus status) {
  switch (status) {
    case IoStatus::ok:
      return "ok";
    case IoStatus::media_error:
      return "medium cannot be read";
    case IoStatus::out_of_range:
      return "no such sector";
    case IoStatus::aborted:
      return "target refuses the command";
    case IoStatus::device_fault:
      return "device fault";
    case IoStatus::rejected:
      return "rejected by the target";
    case IoStatus::timed_out:
      return "timed out";
    case IoStatus::cancelled:
      return "cancelled";
  }
  return "unknown";
}

const char* submit_error_name(SubmitError error) {
  switch (error) {
    case SubmitError::unknown_device:
      return "device is not open";
    case SubmitError::not_ready:
      return "device was never up";
    case SubmitError::bad_request:
      return "malformed request";
    case SubmitError::out_of_range:
      return "past the end of the device";
    case SubmitError::read_only:
      return "opened read-only";
    case SubmitError::unsupported:
      return "target cannot do it";
    case SubmitError::busy:
      return "too many requests outstanding";
  }
  return "unknown";
}

const char* event_kind_name(EventKind kind) {
  switch (kind) {
    case EventKind::target_found:
      return "target_found";
    case EventKind::target_changed:
      return "target_changed";
    case EventKind::device_up:
      return "device_up";
    case EventKind::device_down:
      return "device_down";
    case EventKind::device_resized:
      return "device_resized";
    case EventKind::path_up:
      return "path_up";
    case EventKind::path_down:
      return "path_down";
    case EventKind::identity_conflict:
      return "identity_conflict";
    case EventKind::events_lost:
      return "events_lost";
  }
  return "unknown";
}

}  // namespace aoe::initiator
