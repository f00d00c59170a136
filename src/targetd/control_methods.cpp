#include "targetd/control_methods.h"

#include "control/params.h"
#include "os/clock.h"
#include "protocol/aoe_session.h"
#include "protocol/ata_smart.h"
#include "targetd/daemon.h"
#include "targetd/export_spec.h"
#include "targetd/shard_set_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace aoe::targetd {
namespace {

using control::Json;

Json mac_list(const std::vector<MacAddress>& list) {
  Json json = Json::array();
  for (const MacAddress& mac : list) {
    json.push_back(to_string(mac));
  }
  return json;
}

// Config strings are arbitrary octets: as text where they are printable ASCII, as hex otherwise.
Json octets_json(ConstByteSpan bytes) {
  std::string hex;
  bool is_printable = true;
  for (const std::byte b : bytes) {
    const auto value = std::to_integer<unsigned>(b);
    is_printable = is_printable && value >= 0x20 && value < 0x7F;
    hex += fmt::format("{:02x}", value);
  }
  return is_printable ? Json(std::string(as_text(bytes))) : Json{{"hex", hex}};
}

Json interfaces_of(const target::Export& subject, Daemon& daemon) {
  Json names = Json::array();
  for (std::size_t i = 0; i < daemon.shards().ports().size(); ++i) {
    if (subject.is_served_on(PortId{static_cast<std::uint8_t>(i)})) {
      names.push_back(daemon.shards().ports()[i]->name());
    }
  }
  return names;
}

Json summary(const target::Export& subject, Daemon& daemon) {
  const ExportConfig* config = daemon.find_config(subject.settings.address);
  return {
      {"address", to_string(subject.settings.address)},
      {"state", target::export_state_name(subject.state)},
      {"health", target::export_health_name(subject.health)},
      {"store", config != nullptr ? config->store : std::string()},
      {"size_sectors", subject.settings.sector_count},
      {"mode", target::write_mode_name(subject.settings.mode)},
      {"interfaces", interfaces_of(subject, daemon)},
      {"buffers", subject.settings.buffer_count},
      {"requests_in_flight", subject.stats.in_flight},
  };
}

Json seal_json(const target::SealCounters& seal) {
  return {
      {"hellos", seal.hellos},
      {"hellos_damaged", seal.hellos_damaged},
      {"hellos_refused", seal.hellos_refused},
      {"sessions", seal.sessions},
      {"requests", seal.requests},
      {"renews", seal.renews},
      {"duplicates_executing", seal.duplicates_executing},
      {"duplicates_answered", seal.duplicates_answered},
      {"stale", seal.stale},
      {"beyond_window", seal.beyond_window},
      {"mismatched", seal.mismatched},
      {"unordered", seal.unordered},
      {"damaged", seal.damaged},
      {"refused", seal.refused},
  };
}

Json late_json(const target::LateWriteCounters& late) {
  return {
      {"judged", late.judged},
      {"stale", late.stale},
      {"contradicted", late.contradicted},
      {"unremembered", late.unremembered},
      {"held", late.held},
  };
}

Json stats_json(const target::Export& subject) {
  const target::ExportStats& stats = subject.stats;
  return {
      {"reads", stats.reads},
      {"writes", stats.writes},
      {"flushes", stats.flushes},
      {"trims", stats.trims},
      {"others", stats.others},
      {"sectors_read", stats.sectors_read},
      {"sectors_written", stats.sectors_written},
      {"ata_errors", stats.ata_errors},
      {"aoe_errors", stats.aoe_errors},
      {"store_errors", stats.store_errors},
      {"overlap_waits", stats.waits},
      {"dropped", stats.dropped},
      {"requests_in_flight", stats.in_flight},
      {"requests_in_flight_max", stats.in_flight_max},
      {"sealed", seal_json(stats.seal)},
      {"late_writes", late_json(stats.late)},
  };
}

Json sessions_json(const target::Export& subject, Daemon& daemon) {
  Json json = Json::array();
  const target::TargetCore& core = daemon.shards().of(subject.settings.address).core();
  const Instant now = os::monotonic_now();
  for (std::size_t i = 0; i < core.sessions().size(); ++i) {
    const target::Session& session = core.sessions()[i];
    if (session.id == 0 || session.export_id != subject.id) {
      continue;
    }
    const auto index = static_cast<std::uint16_t>(i);
    const auto grants = [&session](std::uint16_t capability) {
      return (session.capabilities & capability) != 0;
    };
    json.push_back({
        {"session", fmt::format("{:08x}", session.id)},
        {"initiator_instance", fmt::format("{:016x}", session.initiator_instance)},
        {"mac", to_string(session.last_source)},
        {"interface", daemon.shards().ports()[session.last_port.value]->name()},
        {"sequences", grants(protocol::kCapabilitySequences)},
        {"crc", grants(protocol::kCapabilityCrc)},
        {"low", core.sequence_low(index)},
        {"executing", core.sequences_executing(index)},
        {"requests", session.requests},
        {"duplicates", session.duplicates},
        {"idle_ms", (now - session.last_used).ns / 1'000'000},
    });
  }
  return json;
}

Json store_json(const storage::BlockStore& store) {
  const storage::StoreStats stats = store.stats();
  Json json = {
      {"description", store.describe()},
      {"size_bytes", store.info().size_bytes},
      {"physical_block_bytes", store.info().physical_block_bytes},
      {"can_discard", store.info().can_discard},
      {"is_volatile", store.info().is_volatile},
      {"reads", stats.reads},
      {"writes", stats.writes},
      {"flushes", stats.flushes},
      {"discards", stats.discards},
      {"read_bytes", stats.read_bytes},
      {"write_bytes", stats.write_bytes},
      {"errors", stats.errors},
  };
  if (const std::uint64_t cached_reads = stats.cache_hits + stats.cache_misses; cached_reads != 0) {
    json["cache"] = {
        {"hits", stats.cache_hits},
        {"misses", stats.cache_misses},
        {"hit_rate", static_cast<double>(stats.cache_hits) / static_cast<double>(cached_reads)},
        {"read_ahead_blocks", stats.cache_read_ahead_blocks},
        {"evictions", stats.cache_evictions},
        {"used_bytes", stats.cache_used_bytes},
    };
  }
  return json;
}

const char* self_test_word(protocol::SmartTestStatus status) {
  switch (status) {
    case protocol::SmartTestStatus::passed:
      return "passed";
    case protocol::SmartTestStatus::aborted:
      return "aborted";
    case protocol::SmartTestStatus::interrupted:
      return "interrupted";
    case protocol::SmartTestStatus::read_failed:
      return "read_failed";
    case protocol::SmartTestStatus::running:
      return "running";
  }
  return "unknown";
}

// Oldest first, as the SMART log has them.
Json self_tests_json(const target::Export& subject) {
  Json tests = Json::array();
  for (const protocol::SmartSelfTest& test : subject.persistent.self_tests) {
    const auto status = protocol::smart_test_status(test.status);
    const bool is_short =
        test.kind == static_cast<std::uint8_t>(protocol::SmartTestKind::short_test);
    Json entry{
        {"kind", is_short ? "short" : "extended"},
        {"status", self_test_word(status)},
        {"power_on_hours", test.hours},
        {"failing_lba",
         status == protocol::SmartTestStatus::read_failed ? Json(test.failing_lba) : Json()}};
    if (status == protocol::SmartTestStatus::running && subject.self_test.reads > 0) {
      entry["percent"] = subject.self_test.reads_done * 100 / subject.self_test.reads;
    }
    tests.push_back(std::move(entry));
  }
  return tests;
}

Json service_json(const target::Export& subject) {
  const target::ServiceSettings& wanted = subject.settings.service;
  const target::ServiceState& state = subject.service;
  Json weights = Json::object();
  for (const target::InitiatorWeight& item : wanted.weights) {
    weights[to_string(item.mac)] = item.weight;
  }
  const std::uint32_t limit = target::requests_per_export_max(subject.settings.buffer_count);
  return {
      {"iops_max", wanted.all.requests_per_second},
      {"bytes_per_second_max", wanted.all.bytes_per_second},
      {"initiator_iops_max", wanted.each.requests_per_second},
      {"initiator_bytes_per_second_max", wanted.each.bytes_per_second},
      {"weights", std::move(weights)},
      {"initiators", state.flows},
      {"at_store", state.in_service},
      {"at_store_max", state.rate.window(limit)},
      {"queued", state.queued},
      {"held_back", state.held_back},
      {"store_requests_per_second", state.rate.per_second()},
  };
}

Json show(const target::Export& subject, Daemon& daemon) {
  Json json = summary(subject, daemon);
  const target::LifeCounters life = target::life_counters(subject, os::monotonic_now());
  json["model"] = subject.settings.model;
  json["serial"] = subject.serial;
  json["world_wide_name"] = fmt::format("{:016x}", target::world_wide_name(subject.serial));
  json["allow"] = subject.settings.allow_policy == target::AllowPolicy::any
                      ? Json("any")
                      : mac_list(subject.settings.allow);
  json["config_string"] = octets_json(subject.persistent.config_string);
  json["mask"] = mac_list(subject.persistent.mask);
  json["reservation"] = mac_list(subject.persistent.reservation);
  json["write_cache_enabled"] = subject.ata.write_cache_enabled;
  json["powered_on_seconds"] = life.powered_on_seconds;
  json["starts"] = life.starts;
  json["life"] = {{"sectors_read", life.sectors_read},
                  {"sectors_written", life.sectors_written},
                  {"read_errors", life.read_errors},
                  {"write_errors", life.write_errors},
                  {"crc_errors", life.crc_errors}};
  json["self_tests"] = self_tests_json(subject);
  json["plain_writes_held_ms"] =
      std::max<std::int64_t>(0, (subject.hold_plain_writes_until - os::monotonic_now()).ns) /
      1'000'000;
  json["sessions"] = sessions_json(subject, daemon);
  if (Json freeze = daemon.freezer().status(subject.settings.address); !freeze.is_null()) {
    json["freeze"] = std::move(freeze);
  }
  if (Json integrity = daemon.scrubber().status(subject.settings.address); !integrity.is_null()) {
    json["integrity"] = std::move(integrity);
  }
  if (Json overlays = daemon.overlays().status(subject.settings.address); !overlays.is_null()) {
    json["overlays"] = std::move(overlays);
  }
  if (const ExportConfig* config = daemon.find_config(subject.settings.address)) {
    json["store_offset_bytes"] = config->offset_sectors * kSectorBytes;
  }
  json["service"] = service_json(subject);
  json["stats"] = stats_json(subject);
  if (const storage::BlockStore* store =
          daemon.shards().of(subject.settings.address).store_of(subject.id);
      store != nullptr) {
    json["backing"] = store_json(*store);
  }
  return json;
}

Result<const target::Export*> find_export(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const DeviceAddress address, control::address_param(params, "address"));
  const target::Export* subject = daemon.shards().of(address).core().find(address);
  if (subject == nullptr) {
    return fail_with(Errc::not_found, 0,
                     to_string(address) + ": no such export (see aoe target list)");
  }
  return subject;
}

Result<Json> handle_list(const Json& /*params*/, Daemon& daemon) {
  Json exports = Json::array();
  for (const target::Export* subject : daemon.shards().exports()) {
    exports.push_back(summary(*subject, daemon));
  }
  return Json{{"exports", std::move(exports)}};
}

Result<Json> handle_show(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const target::Export* subject, find_export(params, daemon));
  return show(*subject, daemon);
}

Result<Json> handle_stats(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const auto address, control::optional_address_param(params, "address"));
  Json exports = Json::object();
  for (const target::Export* subject : daemon.shards().exports()) {
    if (!address || *address == subject->settings.address) {
      exports[to_string(subject->settings.address)] = stats_json(*subject);
    }
  }
  if (address && exports.empty()) {
    return fail_with(Errc::not_found, 0,
                     to_string(*address) + ": no such export (see aoe target list)");
  }
  return Json{{"exports", std::move(exports)},
              {"ports", ports_json(daemon.shards())},
              {"target", core_json(daemon.shards())},
              {"initiators", initiators_json(daemon.shards())}};
}

// The options of target.export are the keys of -e, so they go through the same reader.
Result<std::string> export_text(const Json& params) {
  AOE_TRY_ASSIGN(const DeviceAddress address, control::address_param(params, "address"));
  AOE_TRY_ASSIGN(const std::string store, control::text_param(params, "store"));
  const auto escaped = [](const std::string& text) {
    std::string out;
    for (const char c : text) {
      out += c == ',' ? "\\," : std::string(1, c);
    }
    return out;
  };
  std::string text = to_string(address).substr(1) + "=" + escaped(store);
  if (params.contains("options")) {
    if (!params["options"].is_object()) {
      return fail_with(Errc::invalid_argument, 0, "options: expected an object of texts");
    }
    for (const auto& [key, value] : params["options"].items()) {
      if (!value.is_string()) {
        return fail_with(Errc::invalid_argument, 0,
                         fmt::format("options: {}: expected a text", key));
      }
      text += "," + key + "=" + escaped(value.get<std::string>());
    }
  }
  return text;
}

Result<Json> handle_export(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const std::string text, export_text(params));
  config::Diagnostics diagnostics;
  auto spec = parse_export_spec(text, "target export", diagnostics);
  if (!diagnostics.ok() || !spec) {
    return fail_with(Errc::invalid_argument, 0, config::joined_errors(diagnostics));
  }
  spec->config.is_added_at_run_time = true;
  AOE_TRY(daemon.add_export(spec->config));
  return Json{{"address", to_string(spec->config.address)}};
}

Result<Json> handle_unexport(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const DeviceAddress address, control::address_param(params, "address"));
  AOE_TRY_ASSIGN(const bool force, control::flag_param(params, "force"));
  AOE_TRY(daemon.remove_export(address, force ? Daemon::Force::yes : Daemon::Force::no));
  return Json{{"address", to_string(address)}};
}

Result<Json> handle_online(const Json& params, Daemon& daemon, target::TargetCore::Online online) {
  AOE_TRY_ASSIGN(const DeviceAddress address, control::address_param(params, "address"));
  AOE_TRY(daemon.set_online(address, online));
  return Json{{"address", to_string(address)}};
}

Result<Json> handle_resize(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const DeviceAddress address, control::address_param(params, "address"));
  AOE_TRY_ASSIGN(const bool force, control::flag_param(params, "force"));
  AOE_TRY_ASSIGN(const std::uint64_t sectors,
                 daemon.resize(address, force ? Daemon::Force::yes : Daemon::Force::no));
  return Json{{"address", to_string(address)}, {"size_sectors", sectors}};
}

// An address with which an answer can wait; otherwise the error was sent.
std::optional<DeviceAddress> address_or_reply(const Json& params, control::Reply& reply) {
  auto address = control::address_param(params, "address");
  if (!address) {
    reply.send(fail(std::move(address).error()));
    return std::nullopt;
  }
  return *address;
}

void handle_freeze(const Json& params, control::Reply reply, Daemon& daemon) {
  const auto address = address_or_reply(params, reply);
  if (!address) {
    return;
  }
  if (daemon.snapshots().has_any(*address)) {
    reply.send(fail_with(Errc::busy, 0,
                         to_string(*address) +
                             ": freeze: it has snapshots: copy one of them instead (aoe target "
                             "snapshot list)"));
    return;
  }
  daemon.freezer().freeze(*address, std::move(reply));
}

void handle_thaw(const Json& params, control::Reply reply, Daemon& daemon) {
  const auto address = address_or_reply(params, reply);
  if (!address) {
    return;
  }
  const auto rate = control::optional_number_param(params, "bytes_per_second");
  if (!rate) {
    reply.send(fail(rate.error()));
    return;
  }
  daemon.freezer().thaw({.address = *address, .bytes_per_second = *rate}, std::move(reply));
}

void handle_move(const Json& params, control::Reply reply, Daemon& daemon) {
  const auto from = control::address_param(params, "address");
  const auto to = control::address_param(params, "to");
  const auto force = control::flag_param(params, "force");
  for (const Error* error : {from ? nullptr : &from.error(), to ? nullptr : &to.error(),
                             force ? nullptr : &force.error()}) {
    if (error != nullptr) {
      reply.send(fail(*error));
      return;
    }
  }
  daemon.move_export(
      {.from = *from, .to = *to, .force = *force ? Daemon::Force::yes : Daemon::Force::no},
      std::move(reply));
}

Result<Json> handle_replace(const Json& /*params*/, Daemon& daemon) {
  return Json{{"config", daemon.hand_over_to_successor()}};
}

// An initiator in the parameter "mac", if there is one.
Result<std::optional<MacAddress>> optional_mac(const Json& params) {
  AOE_TRY_ASSIGN(const auto text, control::optional_text_param(params, "mac"));
  if (!text) {
    return std::optional<MacAddress>{};
  }
  const auto mac = parse_mac_address(*text);
  if (!mac) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("mac: {}: expected an address like 52:54:00:12:34:56", *text));
  }
  return mac;
}

void handle_overlay_list(const Json& params, control::Reply reply, Daemon& daemon) {
  if (const auto address = address_or_reply(params, reply)) {
    daemon.overlays().list(*address, std::move(reply));
  }
}

Result<Overlays::EndRequest> end_request(const Json& params) {
  Overlays::EndRequest request;
  AOE_TRY_ASSIGN(request.address, control::address_param(params, "address"));
  AOE_TRY_ASSIGN(request.initiator, optional_mac(params));
  AOE_TRY_ASSIGN(const bool force, control::flag_param(params, "force"));
  request.force = force ? Overlays::Force::yes : Overlays::Force::no;
  return request;
}

void handle_overlay_end(const Json& params, control::Reply reply, Daemon& daemon,
                        Overlays::Ending ending) {
  auto request = end_request(params);
  if (!request) {
    reply.send(fail(std::move(request).error()));
    return;
  }
  request->ending = ending;
  daemon.overlays().end(*request, std::move(reply));
}

void handle_overlay_commit(const Json& params, control::Reply reply, Daemon& daemon) {
  const auto request = end_request(params);
  if (!request) {
    reply.send(fail(request.error()));
    return;
  }
  if (!request->initiator) {
    reply.send(fail_with(Errc::invalid_argument, 0, "mac: expected whose overlay is committed"));
    return;
  }
  const target::Export* subject =
      daemon.shards().of(request->address).core().find(request->address);
  daemon.overlays().commit(
      {.address = request->address,
       .initiator = *request->initiator,
       .force = request->force,
       .is_online = subject != nullptr && subject->state != target::ExportState::offline},
      std::move(reply));
}

Result<Snapshots::Request> snapshot_request(const Json& params) {
  Snapshots::Request request;
  AOE_TRY_ASSIGN(request.address, control::address_param(params, "address"));
  AOE_TRY_ASSIGN(request.snapshot, control::address_param(params, "snapshot"));
  return request;
}

void handle_snapshot_create(const Json& params, control::Reply reply, Daemon& daemon) {
  const auto request = snapshot_request(params);
  if (!request) {
    reply.send(fail(request.error()));
    return;
  }
  if (daemon.freezer().is_layered(request->address)) {
    reply.send(fail_with(Errc::busy, 0,
                         to_string(request->address) + ": snapshot: it is frozen (thaw it first)"));
    return;
  }
  daemon.snapshots().create(*request, std::move(reply));
}

void handle_snapshot_delete(const Json& params, control::Reply reply, Daemon& daemon) {
  const auto request = snapshot_request(params);
  if (!request) {
    reply.send(fail(request.error()));
    return;
  }
  daemon.snapshots().destroy(*request, std::move(reply));
}

Result<Json> handle_snapshot_list(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const DeviceAddress address, control::address_param(params, "address"));
  return daemon.snapshots().list(address);
}

Result<Json> handle_scrub(const Json& params, Daemon& daemon) {
  Scrubber::Request request;
  AOE_TRY_ASSIGN(request.address, control::address_param(params, "address"));
  AOE_TRY_ASSIGN(request.is_stop, control::flag_param(params, "stop"));
  AOE_TRY_ASSIGN(request.bytes_per_second,
                 control::optional_number_param(params, "bytes_per_second"));
  return daemon.scrubber().scrub(request);
}

Result<Json> handle_reload(const Json& /*params*/, Daemon& daemon) {
  AOE_TRY_ASSIGN(const std::string done, daemon.reload());
  return Json{{"summary", done}};
}

}  // namespace

void add_control_methods(control::Server& server, Daemon& daemon) {
  const auto add = [&server, &daemon](const char* name,
                                      Result<Json> (*handler)(const Json&, Daemon&)) {
    server.add_method(name,
                      [handler, &daemon](const Json& params) { return handler(params, daemon); });
  };
  add("target.list", handle_list);
  add("target.show", handle_show);
  add("target.stats", handle_stats);
  add("target.export", handle_export);
  add("target.unexport", handle_unexport);
  add("target.resize", handle_resize);
  add("target.reload", handle_reload);
  add("target.replace", handle_replace);
  server.add_deferred_method("target.move", [&daemon](const Json& params, control::Reply reply) {
    handle_move(params, std::move(reply), daemon);
  });
  add("target.scrub", handle_scrub);
  add("target.snapshot.list", handle_snapshot_list);
  server.add_deferred_method("target.snapshot.create",
                             [&daemon](const Json& params, control::Reply reply) {
                               handle_snapshot_create(params, std::move(reply), daemon);
                             });
  server.add_deferred_method("target.snapshot.delete",
                             [&daemon](const Json& params, control::Reply reply) {
                               handle_snapshot_delete(params, std::move(reply), daemon);
                             });
  server.add_deferred_method("target.freeze", [&daemon](const Json& params, control::Reply reply) {
    handle_freeze(params, std::move(reply), daemon);
  });
  server.add_deferred_method("target.thaw", [&daemon](const Json& params, control::Reply reply) {
    handle_thaw(params, std::move(reply), daemon);
  });
  server.add_deferred_method("target.overlay.list",
                             [&daemon](const Json& params, control::Reply reply) {
                               handle_overlay_list(params, std::move(reply), daemon);
                             });
  server.add_deferred_method(
      "target.overlay.reset", [&daemon](const Json& params, control::Reply reply) {
        handle_overlay_end(params, std::move(reply), daemon, Overlays::Ending::reset);
      });
  server.add_deferred_method(
      "target.overlay.drop", [&daemon](const Json& params, control::Reply reply) {
        handle_overlay_end(params, std::move(reply), daemon, Overlays::Ending::drop);
      });
  server.add_deferred_method("target.overlay.commit",
                             [&daemon](const Json& params, control::Reply reply) {
                               handle_overlay_commit(params, std::move(reply), daemon);
                             });
  server.add_method("target.online", [&daemon](const Json& params) {
    return handle_online(params, daemon, target::TargetCore::Online::yes);
  });
  server.add_method("target.offline", [&daemon](const Json& params) {
    return handle_online(params, daemon, target::TargetCore::Online::no);
  });
}

}  // namespace aoe::targetd
