#include "initiatord/views.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

namespace aoe::initiatord {

using control::Json;
using initiator::IoOp;
using initiator::IoStatus;
using initiator::Path;

namespace {

const std::string& port_name(const DeviceView& view, PortId port) {
  return view.runner.ports()[port.value]->name();
}

Json path_json(const DeviceView& view, const Path& path) {
  return {
      {"interface", port_name(view, path.port)},
      {"mac", to_string(path.mac)},
      {"state", initiator::path_state_name(path.state)},
      {"quarantine", path.quarantine == initiator::QuarantineReason::none
                         ? Json()
                         : Json(initiator::quarantine_reason_name(path.quarantine))},
      {"peer", initiator::peer_name(path.peer)},
      {"payload_bytes", path.payload.sectors() * kSectorBytes},
      {"window_frames", path.window.frames()},
      {"in_flight_frames", path.in_flight},
      {"srtt_ns", path.rtt.srtt().ns},
      {"rttvar_ns", path.rtt.rttvar().ns},
      {"rto_ns", view.open->flow().patience(path.rtt).ns},
      {"rtt_min_ns", path.rtt.min_rtt().ns},
      {"rtt_p50_ns", path.round_trips.percentile(50).ns},
      {"rtt_p99_ns", path.round_trips.percentile(99).ns},
      {"frames_sent", path.frames_sent},
      {"frames_answered", path.frames_answered},
      {"retransmissions", path.retransmissions},
      {"losses", path.losses},
      {"frames_damaged", path.damaged},
      {"answers_truncated", path.truncated},
      {"answers_aoe_error", path.aoe_errors},
      {"answers_ata_error", path.ata_errors},
      {"answers_corrected", path.corrected},
  };
}

Json identity_json(const protocol::IdentifyModel& identity) {
  return {{"model", identity.model},
          {"serial", identity.serial},
          {"firmware", identity.firmware},
          {"physical_sector_bytes", identity.physical_sector_bytes},
          {"has_write_cache", identity.has_write_cache && identity.write_cache_enabled},
          {"has_flush", identity.has_flush},
          {"has_trim", identity.has_trim}};
}

// Null where path and target decide.
Json unless_automatic(std::uint32_t value) {
  return value == 0 ? Json() : Json(value);
}

Json macs_json(const std::vector<MacAddress>& macs) {
  Json list = Json::array();
  for (const MacAddress& mac : macs) {
    list.push_back(to_string(mac));
  }
  return list;
}

Json settings_json(const DeviceConfig& config) {
  return {
      {"read_only", config.access == DeviceAccess::read_only},
      {"attach", config.attach.empty() ? "no" : config.attach},
      {"timeout_ns", config.timeout.ns},
      {"on_path_loss", config.on_path_loss == initiator::OnPathLoss::queue ? "queue" : "fail"},
      {"fast_io_fail_ns", config.fast_io_fail.ns},
      {"device_loss_ns", config.device_loss.ns},
      {"macs", macs_json(config.macs)},
      {"serial", config.serial.empty() ? Json() : Json(config.serial)},
      {"instances", config.instances == initiator::DeviceSettings::Instances::one ? "one" : "many"},
      {"policy", policy_word(config.policy)},
      {"payload_bytes", unless_automatic(config.payload_bytes)},
      {"window_frames", unless_automatic(config.window_frames)}};
}

Json latency_json(const LatencyHistogram& latency) {
  return {{"count", latency.count()},
          {"p50_ns", latency.percentile(50).ns},
          {"p90_ns", latency.percentile(90).ns},
          {"p99_ns", latency.percentile(99).ns},
          {"max_ns", latency.max().ns}};
}

}  // namespace

const char* state_name(const KeptDevice& device, const initiator::Device* view) {
  if (view == nullptr) {
    return "disabled";
  }
  if (view->is_up()) {
    return "up";
  }
  if (view->state() == initiator::DeviceState::quarantined) {
    return "quarantined";
  }
  return device.was_up ? "down" : "searching";
}

Json paths_json(const DeviceView& view) {
  Json paths = Json::array();
  if (view.open != nullptr) {
    for (std::uint32_t i = 0; i < view.open->paths().size(); ++i) {
      paths.push_back(path_json(view, view.open->paths().at(i)));
    }
  }
  return paths;
}

Json summary_json(const DeviceView& view) {
  std::uint32_t live = 0;
  std::uint32_t known = 0;
  std::set<std::string> interfaces;
  if (view.open != nullptr) {
    const initiator::PathSet& paths = view.open->paths();
    known = paths.size();
    for (std::uint32_t i = 0; i < known; ++i) {
      if (paths.at(i).carries_data()) {
        ++live;
        interfaces.insert(port_name(view, paths.at(i).port));
      }
    }
  }
  return {
      {"address", to_string(view.device.address())},
      {"state", state_name(view.device, view.open)},
      {"size_sectors", view.open == nullptr ? 0 : view.open->sectors()},
      {"payload_bytes",
       view.open == nullptr ? 0 : view.open->paths().smallest_payload_sectors() * kSectorBytes},
      {"paths_live", live},
      {"paths_known", known},
      {"interfaces", interfaces},
      {"read_only", view.device.config.access == DeviceAccess::read_only},
      {"configured", view.device.is_configured()},
      {"users", to_string(view.device.users)},
      {"since_ns", (view.now - view.device.changed).ns},
  };
}

Json show_json(const DeviceView& view) {
  Json json = summary_json(view);
  json["enabled"] = view.device.enabled;
  const DeviceUsers& users = view.device.users;
  json["block_device"] = users.block_device.empty() ? Json() : Json(users.block_device);
  json["via"] = users.front_end.empty() ? Json() : Json(users.front_end);
  json["settings"] = settings_json(view.device.config);
  if (view.open != nullptr && view.open->identity()) {
    json["identity"] = identity_json(*view.open->identity());
  }
  json["paths"] = paths_json(view);
  return json;
}

Json stats_json(const DeviceView& view) {
  DeviceStats& stats = view.device.stats;
  constexpr std::array kFailures{
      IoStatus::media_error, IoStatus::out_of_range, IoStatus::aborted,   IoStatus::device_fault,
      IoStatus::rejected,    IoStatus::timed_out,    IoStatus::cancelled, IoStatus::no_path};
  constexpr std::array kFailureNames{"media_error", "out_of_range", "aborted",   "device_fault",
                                     "rejected",    "timed_out",    "cancelled", "no_path"};
  Json errors = Json::object();
  std::uint64_t all_errors = 0;
  for (std::size_t i = 0; i < kFailures.size(); ++i) {
    errors[kFailureNames[i]] = stats.ended(kFailures[i]);
    all_errors += stats.ended(kFailures[i]);
  }
  return {
      {"reads", stats.op(IoOp::read).requests},
      {"writes", stats.op(IoOp::write).requests},
      {"flushes", stats.op(IoOp::flush).requests},
      {"trims", stats.op(IoOp::trim).requests},
      {"write_zeroes", stats.op(IoOp::write_zeroes).requests},
      {"sectors_read", stats.op(IoOp::read).sectors},
      {"sectors_written", stats.op(IoOp::write).sectors},
      {"requests_in_flight", stats.requests_in_flight()},
      {"retransmissions", stats.retransmissions()},
      {"errors_all", all_errors},
      {"errors", std::move(errors)},
      {"latency",
       {{"read", latency_json(stats.read_latency())},
        {"write", latency_json(stats.write_latency())},
        {"recent", latency_json(stats.recent_latency(view.now))}}},
      {"paths", paths_json(view)},
  };
}

Json core_json(const initiator::CoreStats& stats) {
  return {
      {"frames_sent", stats.frames_sent},
      {"frames_received", stats.frames_received},
      {"retransmissions", stats.retransmissions},
      {"answers", stats.answers},
      {"advertisements", stats.advertisements},
      {"expiries", stats.expiries},
      {"window_cuts", stats.window_cuts},
      {"payload_steps_down", stats.payload_steps_down},
      {"resplits", stats.resplits},
      {"device_unavailable", stats.device_unavailable},
      {"overlap_waits", stats.overlap_waits},
      {"fence_waits", stats.fence_waits},
      {"fences_raised", stats.fences_raised},
      {"fence_overflows", stats.fence_overflows},
      {"tags_exhausted", stats.tags_exhausted},
      {"buffers_exhausted", stats.buffers_exhausted},
      {"paths_refused", stats.paths_refused},
      {"quarantines", stats.quarantines},
      {"paths_suspected", stats.paths_suspected},
      {"path_holds", stats.path_holds},
      {"requests_merged", stats.requests_merged},
      {"requests_failed_fast", stats.requests_failed_fast},
      {"payload_steps_up", stats.payload_steps_up},
      {"sessions", stats.sessions},
      {"session_losses", stats.session_losses},
      {"plain_fallbacks", stats.plain_fallbacks},
      {"frames_damaged", stats.frames_damaged},
      {"ignored",
       {{"malformed", stats.malformed},
        {"not_a_response", stats.not_a_response},
        {"unknown_tag", stats.unknown_tag},
        {"wrong_address", stats.wrong_address},
        {"wrong_command", stats.wrong_command},
        {"wrong_path", stats.wrong_path},
        {"short_data", stats.short_data},
        {"bad_source", stats.bad_source}}},
  };
}

}  // namespace aoe::initiatord
