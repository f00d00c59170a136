#include "initiatord/event_text.h"

#include <fmt/format.h>

namespace aoe::initiatord {

using daemon::LogLine;
using daemon::Severity;
using initiator::Event;
using initiator::EventKind;

namespace {

// Whether port and mac mean something.
bool is_about_a_path(EventKind kind) {
  switch (kind) {
    case EventKind::target_found:
    case EventKind::target_changed:
    case EventKind::device_resized:
    case EventKind::path_up:
    case EventKind::path_down:
    case EventKind::identity_conflict:
      return true;
    case EventKind::device_up:
    case EventKind::device_down:
    case EventKind::events_lost:
      break;
  }
  return false;
}

LogLine describe_state(const Event& event, const std::string& path) {
  switch (event.kind) {
    case EventKind::target_found:
      return {Severity::info, "target found at " + path};
    case EventKind::target_changed:
      return {Severity::info, "target changed at " + path};
    case EventKind::device_up:
      return {Severity::info, fmt::format("up: {} sectors", event.sectors)};
    case EventKind::device_down:
      return {Severity::warning, "down: no path is left (its requests wait for one)"};
    case EventKind::device_resized:
      return {Severity::warning, fmt::format("size changed from {} to {} sectors",
                                             event.sectors_before, event.sectors)};
    case EventKind::path_up:
      return {Severity::info, "path up: " + path};
    case EventKind::path_down:
      return {Severity::warning, "path down: " + path};
    case EventKind::identity_conflict:
      return {Severity::error,
              fmt::format("{} answers for it but is another disk: it is not used (stop one of the "
                          "two targets; aoe flush, when the new disk is meant)",
                          path)};
    case EventKind::events_lost:
      break;
  }
  return {Severity::warning, "events were lost"};
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
  if (event.kind == EventKind::device_up || event.kind == EventKind::device_resized) {
    json["size_sectors"] = event.sectors;
  }
  if (event.kind == EventKind::device_resized) {
    json["size_sectors_before"] = event.sectors_before;
  }
  return json;
}

}  // namespace aoe::initiatord
