#include "targetd/shard_set_json.h"

#include "daemon/port_view.h"
#include "os/clock.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace aoe::targetd {
namespace {

using control::Json;

Json json_of(const Shard& shard) {
  const target::TargetStats stats = shard.core().stats();
  const target::DropCounters& drops = stats.drops;
  return {
      {"frames", stats.frames},
      {"replies", stats.replies},
      {"aoe_errors", stats.aoe_errors},
      {"advertisements", stats.advertisements},
      {"events_lost", stats.events_lost + shard.events_lost()},
      {"clocks_learned", stats.clocks_learned},
      {"clocks_lost", stats.clocks_lost},
      {"drops",
       {{"runt", drops.runt},
        {"not_aoe", drops.not_aoe},
        {"response", drops.response},
        {"bad_source", drops.bad_source},
        {"not_for_us", drops.not_for_us},
        {"unknown_address", drops.unknown_address},
        {"access_denied", drops.access_denied},
        {"bad_wildcard", drops.bad_wildcard},
        {"config_mismatch", drops.config_mismatch},
        {"queue_full", drops.queue_full},
        {"rate_limited", drops.rate_limited},
        {"change_pending", drops.change_pending},
        {"stalled", drops.stalled},
        {"link_down", drops.link_down},
        {"hello", drops.hello},
        {"sealed", drops.sealed},
        {"late_change", drops.late_change},
        {"late_write", drops.late_write},
        {"waited", drops.waited}}},
  };
}

// Both have the same entries, all numbers or objects of such.
void add_numbers(Json& sum, const Json& more) {
  for (const auto& [name, value] : more.items()) {
    if (value.is_object()) {
      add_numbers(sum[name], value);
    } else {
      sum[name] = sum[name].get<std::uint64_t>() + value.get<std::uint64_t>();
    }
  }
}

// Of one source address, in all shards.
struct Sum {
  std::uint64_t requests = 0;
  std::uint64_t dropped = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t stale_writes = 0;
  std::uint32_t host = 0;
  std::uint32_t hz = 0;
  Instant last_seen;
};

}  // namespace

Json ports_json(const ShardSet& shards) {
  Json json = Json::array();
  for (std::size_t i = 0; i < shards.ports().size(); ++i) {
    const net::PacketPort& port = *shards.ports()[i];
    net::PortStats stats = port.stats();
    for (std::size_t k = 1; k < shards.size(); ++k) {
      stats.add_traffic(shards.at(k).ports()[i]->stats());
    }
    json.push_back(daemon::port_json(port, stats));
  }
  return json;
}

Json core_json(const ShardSet& shards) {
  Json json = json_of(shards.at(0));
  Json frames = Json::array({json["frames"]});
  for (std::size_t i = 1; i < shards.size(); ++i) {
    const Json more = json_of(shards.at(i));
    frames.push_back(more["frames"]);
    add_numbers(json, more);
  }
  json["shards"] = std::move(frames);
  return json;
}

Json initiators_json(const ShardSet& shards) {
  std::map<MacAddress, Sum> sums;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    for (const target::Initiator& entry : shards.at(i).core().initiators()) {
      if (!entry.in_use) {
        continue;
      }
      Sum& sum = sums[entry.mac];
      sum.requests += entry.requests;
      sum.dropped += entry.dropped;
      sum.in_flight += entry.in_flight;
      sum.stale_writes += entry.stale_writes;
      sum.last_seen = std::max(sum.last_seen, entry.last_seen);
      if (sum.host == 0) {
        sum.host = entry.host;
        sum.hz = entry.clock.hz();
      }
    }
  }
  Json json = Json::array();
  const Instant now = os::monotonic_now();
  for (const auto& [mac, sum] : sums) {
    json.push_back({{"mac", to_string(mac)},
                    {"requests", sum.requests},
                    {"dropped", sum.dropped},
                    {"requests_in_flight", sum.in_flight},
                    {"guard", sum.host != 0 ? "on" : "off"},
                    {"host", sum.host},
                    {"hz", sum.hz},
                    {"stale_writes", sum.stale_writes},
                    {"idle_ms", (now - sum.last_seen).ns / 1'000'000}});
  }
  return json;
}

}  // namespace aoe::targetd
