#include "targetd/event_text.h"

#include "protocol/ata_smart.h"

#include <fmt/format.h>

namespace aoe::targetd {
namespace {

using daemon::LogLine;
using daemon::Severity;
using target::EventKind;
using target::TargetEvent;

const char* type_name(EventKind kind) {
  switch (kind) {
    case EventKind::export_ready:
      return "export_ready";
    case EventKind::address_conflict:
      return "address_conflict";
    case EventKind::foreign_target:
      return "foreign_target";
    case EventKind::export_removed:
      return "export_removed";
    case EventKind::store_error:
      return "store_error";
    case EventKind::export_failed:
      return "export_failed";
    case EventKind::backend_stalled:
      return "backend_stalled";
    case EventKind::backend_recovered:
      return "backend_recovered";
    case EventKind::admin_refused:
      return "admin_refused";
    case EventKind::config_changed:
      return "config_changed";
    case EventKind::mask_changed:
      return "mask_changed";
    case EventKind::reservation_changed:
      return "reservation_changed";
    case EventKind::state_save_failed:
      return "state_save_failed";
    case EventKind::size_changed:
      return "size_changed";
    case EventKind::frame_damaged:
      return "frame_damaged";
    case EventKind::self_test_started:
      return "self_test_started";
    case EventKind::self_test_ended:
      return "self_test_ended";
  }
  return "unknown";
}

const char* self_test_kind(std::uint64_t kind) {
  return static_cast<protocol::SmartTestKind>(kind) == protocol::SmartTestKind::short_test
             ? "short"
             : "extended";
}

LogLine describe_self_test(const TargetEvent& event) {
  const auto status = protocol::smart_test_status(static_cast<std::uint8_t>(event.value));
  if (status == protocol::SmartTestStatus::read_failed) {
    return {Severity::error,
            fmt::format("self-test failed: sector {} could not be read", event.lba.value)};
  }
  return {Severity::info,
          fmt::format("self-test {}", status == protocol::SmartTestStatus::passed
                                          ? "passed: everything it read was readable"
                                          : "aborted")};
}

LogLine describe_state(const TargetEvent& event, const std::string& mac) {
  switch (event.kind) {
    case EventKind::config_changed:
      return {Severity::info, fmt::format("config string set by {} ({} bytes)", mac, event.value)};
    case EventKind::mask_changed:
      return {Severity::info, fmt::format("mask changed by {}: {} entries", mac, event.value)};
    case EventKind::reservation_changed:
      return {Severity::info, event.value == 0
                                  ? fmt::format("reservation released by {}", mac)
                                  : fmt::format("reserved by {}: {} holders", mac, event.value)};
    case EventKind::admin_refused:
      return {Severity::warning,
              fmt::format("{} may not change state by wire: command {} refused (see remote_admin)",
                          mac, event.value)};
    case EventKind::state_save_failed:
      return {Severity::error, "a change of state was refused: it could not be stored"};
    case EventKind::self_test_started:
      return {Severity::info, fmt::format("{} self-test started", self_test_kind(event.value))};
    case EventKind::self_test_ended:
      return describe_self_test(event);
    default:
      return {};
  }
}

std::string hex_bytes(ConstByteSpan bytes) {
  std::string text;
  for (const std::byte b : bytes) {
    text += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  }
  return text;
}

LogLine describe_rest(const TargetEvent& event, const std::string& mac) {
  switch (event.kind) {
    case EventKind::export_ready:
      return {Severity::info, fmt::format("ready: {} sectors", event.value)};
    case EventKind::address_conflict:
      return {Severity::error,
              fmt::format("address in use: {} answers for it; not served (stop the other target, "
                          "or choose another address; tried again from time to time)",
                          mac)};
    case EventKind::foreign_target:
      return {Severity::error,
              fmt::format("{} announces the same address: initiators may take two disks for one "
                          "(stop one of the two targets)",
                          mac)};
    case EventKind::export_removed:
      return {Severity::info, "no longer exported"};
    case EventKind::store_error:
      return {Severity::error,
              fmt::format("store error: {} at sector {} ({} since the last report), for {}",
                          store_errc_name(event.store_error), event.lba.value, event.value, mac)};
    case EventKind::export_failed:
      return {Severity::error,
              "failed: accepted data could not be made stable and may be lost; writes are refused "
              "(check the backing, then aoe target online)"};
    case EventKind::backend_stalled:
      return {Severity::error,
              "the store does not answer: disk requests are dropped until it does"};
    case EventKind::backend_recovered:
      return {Severity::warning, "the store answers again"};
    case EventKind::size_changed:
      return {Severity::info, fmt::format("size changed: {} sectors", event.value)};
    case EventKind::frame_damaged:
      return {Severity::warning,
              fmt::format("a frame was damaged on its way: wrong CRC, dropped ({} since the last "
                          "report; look for a bad cable, NIC or switch between here and {}): {}",
                          event.value, mac, hex_bytes(event.frame_head))};
    default:
      return describe_state(event, mac);
  }
}

}  // namespace

LogLine describe(const TargetEvent& event) {
  LogLine line = describe_rest(event, to_string(event.mac));
  line.text = to_string(event.address) + ": " + line.text;
  return line;
}

nlohmann::json to_json(const TargetEvent& event) {
  nlohmann::json json = {{"type", type_name(event.kind)},
                         {"address", to_string(event.address)},
                         {"value", event.value},
                         {"text", describe(event).text}};
  if (!event.mac.is_zero()) {
    json["mac"] = to_string(event.mac);
  }
  if (event.kind == EventKind::frame_damaged) {
    json["port"] = event.port.value;
    json["frame_head"] = hex_bytes(event.frame_head);
  }
  if (event.kind == EventKind::self_test_ended &&
      protocol::smart_test_status(static_cast<std::uint8_t>(event.value)) ==
          protocol::SmartTestStatus::read_failed) {
    json["lba"] = event.lba.value;
  }
  if (event.kind == EventKind::store_error) {
    json["store_error"] = store_errc_name(event.store_error);
    json["lba"] = event.lba.value;
  }
  return json;
}

}  // namespace aoe::targetd
