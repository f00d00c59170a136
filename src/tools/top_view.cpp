#include "tools/top_view.h"

#include "base/ids.h"
#include "tools/values.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace aoe::tools {
namespace {

Json member(const Json& object, const std::string& name) {
  if (!object.is_object()) {
    return {};
  }
  const auto found = object.find(name);
  return found == object.end() ? Json() : *found;
}

std::optional<std::uint64_t> number(const Json& object, const std::string& name) {
  const Json value = member(object, name);
  const bool counts = value.is_number_integer() && value >= 0;
  return counts ? std::optional(value.get<std::uint64_t>()) : std::nullopt;
}

std::string text(const Json& object, const std::string& name) {
  return printable_text(plain_text(member(object, name)));
}

// The path of `paths` that has the interface and MAC of `path`.
Json same_path(const Json& paths, const Json& path) {
  if (paths.is_array()) {
    for (const Json& other : paths) {
      if (member(other, "interface") == member(path, "interface") &&
          member(other, "mac") == member(path, "mac")) {
        return other;
      }
    }
  }
  return {};
}

// Two states of the same counters, and the time between them.
struct Step {
  const Json& before;
  const Json& now;
  Duration elapsed;

  [[nodiscard]] std::optional<double> per_second(const std::string& name) const {
    const auto first = number(before, name);
    const auto last = number(now, name);
    if (!first || !last || *last < *first || elapsed.ns <= 0) {
      return std::nullopt;
    }
    return static_cast<double>(*last - *first) * 1e9 / static_cast<double>(elapsed.ns);
  }

  [[nodiscard]] std::string rate(const std::string& name) const {
    const auto value = per_second(name);
    return value ? fmt::format("{:.0f}", *value) : "";
  }

  [[nodiscard]] std::string bytes_rate(const std::string& name) const {
    const auto sectors = per_second(name);
    return sectors ? size_text(static_cast<std::uint64_t>(*sectors * kSectorBytes)) : "";
  }
};

std::string time_cell(const Json& object, const std::string& name) {
  const auto ns = number(object, name);
  return ns && *ns > 0 ? duration_text(Duration{static_cast<std::int64_t>(*ns)}) : "";
}

void add_device(Table& table, const Json& device, const Step& step) {
  const Json recent = member(member(step.now, "latency"), "recent");
  table.add_row({text(device, "address"), text(device, "state"), step.bytes_rate("sectors_read"),
                 step.rate("reads"), step.bytes_rate("sectors_written"), step.rate("writes"),
                 time_cell(recent, "p50_ns"), time_cell(recent, "p99_ns"),
                 text(step.now, "requests_in_flight"), step.rate("retransmissions"),
                 text(step.now, "errors_all")});
}

void add_path(Table& table, const std::string& device, const Json& path, const Step& step) {
  table.add_row({device, text(path, "interface"), text(path, "mac"), text(path, "state"),
                 step.rate("frames_sent"), step.rate("retransmissions"),
                 text(path, "window_frames"), text(path, "in_flight_frames"),
                 time_cell(path, "srtt_ns"), time_cell(path, "rtt_p99_ns"),
                 text(path, "payload_bytes")});
}

}  // namespace

std::string top_text(const std::optional<TopSample>& before, const TopSample& now) {
  Table devices({{"DEVICE"},
                 {"STATE"},
                 {"READ/s", Align::right},
                 {"READS/s", Align::right},
                 {"WRITE/s", Align::right},
                 {"WRITES/s", Align::right},
                 {"P50", Align::right},
                 {"P99", Align::right},
                 {"QUEUE", Align::right},
                 {"RESENT/s", Align::right},
                 {"ERRORS", Align::right}});
  Table paths({{"DEVICE"},
               {"INTERFACE"},
               {"MAC"},
               {"STATE"},
               {"FRAMES/s", Align::right},
               {"RESENT/s", Align::right},
               {"WINDOW", Align::right},
               {"FLIGHT", Align::right},
               {"RTT", Align::right},
               {"P99", Align::right},
               {"PAYLOAD", Align::right}});
  const Json all_before = before ? member(before->stats, "devices") : Json();
  const Json all_now = member(now.stats, "devices");
  const Duration elapsed = before ? now.taken - before->taken : Duration{};
  const Json list = member(now.list, "devices");
  for (const Json& device : list) {
    const std::string address = plain_text(member(device, "address"));
    const Json stats_before = member(all_before, address);
    const Json stats_now = member(all_now, address);
    add_device(devices, device, {stats_before, stats_now, elapsed});
    const Json paths_before = member(stats_before, "paths");
    for (const Json& path : member(stats_now, "paths")) {
      const Json path_before = same_path(paths_before, path);
      add_path(paths, printable_text(address), path, {path_before, path, elapsed});
    }
  }
  std::string page = devices.layout(OutputFormat::text);
  if (paths.row_count() > 0) {
    page += "\n" + paths.layout(OutputFormat::text);
  }
  return page;
}

}  // namespace aoe::tools
