#include "initiatord/event_text.h"

#include <fmt/format.h>

namespace aoe::initiatord {

using daemon::LogLine;
using daemon::Severity;
using initiator::Event;
using initiator::EventKind;
using initiator::QuarantineReason;

namespace {

// Whether port and mac mean something.
bool is_about_a_path(EventKind kind) {
  switch (kind) {
    case EventKind::target_found:
    case EventKind::target_changed:
    case EventKind::device_resized:
    case EventKind::device_shrunk:
    case EventKind::path_up:
    case EventKind::path_down:
    case EventKind::path_quarantined:
    case EventKind::payload_lowered:
    case EventKind::payload_raised:
    case EventKind::target_restarted:
    case EventKind::cache_lost:
    case EventKind::frames_damaged:
      return true;
    case EventKind::device_up:
    case EventKind::device_down:
    case EventKind::device_fast_fail:
    case EventKind::device_lost:
    case EventKind::device_drained:
    case EventKind::events_lost:
      break;
  }
  return false;
}

bool tells_a_size(EventKind kind) {
  return kind == EventKind::device_up || kind == EventKind::device_resized ||
         kind == EventKind::device_shrunk;
}

bool is_resize(EventKind kind) {
  return kind == EventKind::device_resized || kind == EventKind::device_shrunk;
}

bool is_about_payload(EventKind kind) {
  return kind == EventKind::payload_lowered || kind == EventKind::payload_raised;
}

std::string quarantine_text(const Event& event, const std::string& path) {
  switch (event.reason) {
    case QuarantineReason::identity:
      return path +
             " answers for it but is another disk: it is not used (stop one of the two targets; "
             "aoe "
             "flush, when the new disk is meant)";
    case QuarantineReason::instance:
      return path +
             " serves the same disk through another target: it is not used (stop one of the two "
             "targets, or allow it: instances)";
    case QuarantineReason::pin:
      return path +
             " is not the target or the disk that the configuration asks for: it is not used";
    case QuarantineReason::none:
      break;
  }
  return path + " is not used";
}

LogLine describe_path(const Event& event, const std::string& path) {
  switch (event.kind) {
    case EventKind::target_found:
      return {Severity::info, "target found at " + path};
    case EventKind::target_changed:
      return {Severity::info, "target changed at " + path};
    case EventKind::path_up:
      return {Severity::info, "path up: " + path};
    case EventKind::path_down:
      return {Severity::warning, "path down: " + path};
    case EventKind::path_quarantined:
      return {Severity::error, quarantine_text(event, path)};
    case EventKind::payload_lowered:
      return {Severity::warning,
              fmt::format("frames of {} sectors vanish on the way to {}: frames of {} are used",
                          event.sectors_before, path, event.sectors)};
    case EventKind::payload_raised:
      return {Severity::info, fmt::format("frames of {} sectors pass to {}", event.sectors, path)};
    case EventKind::target_restarted:
      return {Severity::info, "target restarted at " + path};
    case EventKind::cache_lost:
      return {Severity::error,
              "the target at " + path +
                  " lost its write cache: writes since the last flush may be gone, "
                  "and the next flush fails"};
    case EventKind::frames_damaged:
      return {Severity::warning, "damaged frames arrive from " + path + " (check the cable)"};
    default:
      break;
  }
  return {Severity::warning, "events were lost"};
}

LogLine describe_state(const Event& event, const std::string& path) {
  switch (event.kind) {
    case EventKind::device_up:
      return {Severity::info, fmt::format("up: {} sectors", event.sectors)};
    case EventKind::device_down:
      return {Severity::warning, "down: no path is left"};
    case EventKind::device_resized:
      return {Severity::info, fmt::format("size changed from {} to {} sectors",
                                          event.sectors_before, event.sectors)};
    case EventKind::device_shrunk:
      return {Severity::error,
              fmt::format("shrunk from {} to {} sectors: what was behind them is gone",
                          event.sectors_before, event.sectors)};
    case EventKind::device_fast_fail:
      return {Severity::error, "no path for too long: requests that were not sent fail"};
    case EventKind::device_lost:
      return {Severity::error, "no path for too long: all requests fail until one is back"};
    case EventKind::device_drained:
      return {Severity::info, "drained"};
    default:
      return describe_path(event, path);
  }
}

}  // namespace

LogLine describe(const Event& event, const std::string& interface) {
  LogLine line = describe_state(event, fmt::format("{} on {}", to_string(event.mac), interface));
  if (event.kind != EventKind::events_lost) {
    line.text = to_string(event.address) + ": " + line.text;
  }
  return line;
}

nlohmann::json to_json(const Event& event, const std::string& interface) {
  nlohmann::json json = {{"type", initiator::event_kind_name(event.kind)},
                         {"text", describe(event, interface).text}};
  if (event.kind == EventKind::events_lost) {
    return json;
  }
  json["address"] = to_string(event.address);
  if (is_about_a_path(event.kind)) {
    json["mac"] = to_string(event.mac);
    json["interface"] = interface;
  }
  if (tells_a_size(event.kind)) {
    json["size_sectors"] = event.sectors;
  }
  if (is_resize(event.kind)) {
    json["size_sectors_before"] = event.sectors_before;
  }
  if (is_about_payload(event.kind)) {
    json["payload_bytes"] = event.sectors * kSectorBytes;
    json["payload_bytes_before"] = event.sectors_before * kSectorBytes;
  }
  if (event.kind == EventKind::path_quarantined) {
    json["reason"] = initiator::quarantine_reason_name(event.reason);
  }
  return json;
}

nlohmann::json timed_out_json(const initiator::FrameNote& note, const std::string& interface) {
  std::string frame;
  for (const std::byte byte : note.frame) {
    frame += fmt::format("{:02x}", static_cast<unsigned>(byte));
  }
  return {{"type", "request_timed_out"},
          {"text", fmt::format("{}: a request timed out; its frame was sent {} times, last to {} "
                               "on {}",
                               to_string(note.address), note.transmissions,
                               to_string(note.destination), interface)},
          {"address", to_string(note.address)},
          {"mac", to_string(note.destination)},
          {"interface", interface},
          {"transmissions", note.transmissions},
          {"frame", frame}};
}

nlohmann::json attachment_json(Attachment what, DeviceAddress address,
                               const std::string& block_device) {
  const bool is_attached = what == Attachment::attached;
  return {{"type", is_attached ? "device_attached" : "device_detached"},
          {"text", fmt::format("{}: {} {}", to_string(address),
                               is_attached ? "attached as" : "detached from", block_device)},
          {"address", to_string(address)},
          {"block_device", block_device}};
}

}  // namespace aoe::initiatord
