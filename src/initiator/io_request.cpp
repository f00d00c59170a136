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
    case IoStatus::no_path:
      return "no path to the device";
    case IoStatus::cache_lost:
      return "the target lost its write cache: writes since the last flush may be gone";
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
    case SubmitError::no_path:
      return "no path to the device";
    case SubmitError::closing:
      return "device is being closed";
  }
  return "unknown";
}

const char* quarantine_reason_name(QuarantineReason reason) {
  switch (reason) {
    case QuarantineReason::none:
      return "none";
    case QuarantineReason::identity:
      return "another disk";
    case QuarantineReason::instance:
      return "another target while one serves";
    case QuarantineReason::pin:
      return "not what the settings ask for";
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
    case EventKind::device_shrunk:
      return "device_shrunk";
    case EventKind::device_fast_fail:
      return "device_fast_fail";
    case EventKind::device_lost:
      return "device_lost";
    case EventKind::device_drained:
      return "device_drained";
    case EventKind::path_up:
      return "path_up";
    case EventKind::path_down:
      return "path_down";
    case EventKind::path_quarantined:
      return "path_quarantined";
    case EventKind::payload_lowered:
      return "payload_lowered";
    case EventKind::payload_raised:
      return "payload_raised";
    case EventKind::target_restarted:
      return "target_restarted";
    case EventKind::cache_lost:
      return "cache_lost";
    case EventKind::frames_damaged:
      return "frames_damaged";
    case EventKind::events_lost:
      return "events_lost";
  }
  return "unknown";
}

}  // namespace aoe::initiator
