#include "targetd/scrubber.h"

#include "os/clock.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>

namespace aoe::targetd {
namespace {

using control::Json;
using storage::ScrubState;

constexpr Duration kLook = Duration::milliseconds(250);

const char* state_name(ScrubState state) {
  switch (state) {
    case ScrubState::never:
      return "never";
    case ScrubState::running:
      return "running";
    case ScrubState::stopped:
      return "stopped";
    case ScrubState::done:
      return "done";
  }
  return "never";
}

std::uint64_t percent_of(const storage::ScrubStatus& status) {
  return status.total == 0 ? 0 : status.position * 100 / status.total;
}

}  // namespace

void Scrubber::add(const ExportConfig& config, storage::IntegrityStore& store) {
  volumes_.insert_or_assign(config.address, Volume{.config = config, .store = &store});
}

void Scrubber::remove(DeviceAddress address) {
  volumes_.erase(address);
}

void Scrubber::configure(const ExportConfig& config) {
  const auto found = volumes_.find(config.address);
  if (found != volumes_.end()) {
    found->second.config = config;
  }
}

Result<Json> Scrubber::scrub(const Request& request) {
  const auto found = volumes_.find(request.address);
  if (found == volumes_.end()) {
    return fail_with(Errc::unsupported, 0,
                     to_string(request.address) +
                         ": scrub: the export has no checksums (see "
                         "integrity in aoe-targetd.conf(5))");
  }
  Volume& volume = found->second;
  if (request.is_stop) {
    volume.store->stop_scrub();
  } else {
    volume.store->begin_scrub(request.bytes_per_second.value_or(volume.config.scrub_rate_bytes));
    if (!std::exchange(volume.is_running, true)) {
      volume.told_tenths = 0;
      tell(volume, "scrub_started", "scrub: every sector is looked at");
    }
  }
  volume.next_look = {};
  parts_.wake(request.address);
  return status_of(volume);
}

void Scrubber::poll() {
  const Instant now = os::monotonic_now();
  for (auto& [address, volume] : volumes_) {
    if (now >= volume.next_look) {
      volume.next_look = now + kLook;
      look(volume, now);
    }
  }
}

void Scrubber::look(Volume& volume, Instant /*now*/) {
  const storage::IntegrityStats& stats = volume.store->integrity();
  if (const std::uint64_t more =
          stats.rotten_sectors - std::exchange(volume.told_rotten, stats.rotten_sectors);
      more != 0) {
    tell(volume, "rot_found",
         fmt::format("rot: sector {} is not what was written ({} since the last report; reading it "
                     "fails until it is written anew)",
                     stats.last_rotten_sector, more),
         {{"sector", stats.last_rotten_sector}});
  }
  const storage::ScrubStatus& status = volume.store->scrub();
  if (!volume.is_running) {
    return;
  }
  if (status.state == ScrubState::running) {
    const auto tenths = static_cast<unsigned>(percent_of(status) / 10);
    if (tenths > volume.told_tenths) {
      volume.told_tenths = tenths;
      tell(volume, "scrub_progress", fmt::format("scrub: {} %", tenths * 10),
           {{"percent", tenths * 10}});
    }
    return;
  }
  volume.is_running = false;
  volume.ended_unix_seconds = static_cast<std::uint64_t>(std::time(nullptr));
  tell(volume, status.state == ScrubState::done ? "scrub_done" : "scrub_stopped",
       fmt::format("scrub {}: {} sectors, {} rotten, {} had no checksum and have one now{}",
                   state_name(status.state), status.position, status.rotten_sectors,
                   status.learned_sectors,
                   status.first_rotten.empty()
                       ? std::string()
                       : fmt::format("; rotten: {}", fmt::join(status.first_rotten, " "))),
       {{"rotten_sectors", status.rotten_sectors}});
}

void Scrubber::tell(const Volume& volume, const char* type, const std::string& text, Json more) {
  const std::string address = to_string(volume.config.address);
  const std::string line = address + ": " + text;
  const bool is_bad = std::string_view(type) == "rot_found" ||
                      (more.contains("rotten_sectors") && more["rotten_sectors"] != 0);
  if (is_bad) {
    spdlog::error("{}", line);
  } else {
    spdlog::info("{}", line);
  }
  more["type"] = type;
  more["address"] = address;
  more["text"] = line;
  parts_.publish(more);
}

Json Scrubber::status_of(const Volume& volume) {
  const storage::ScrubStatus& scrub = volume.store->scrub();
  const storage::IntegrityStats& stats = volume.store->integrity();
  Json json = {{"file", volume.config.integrity},
               {"checked_sectors", stats.checked_sectors},
               {"rotten_sectors", stats.rotten_sectors},
               {"damaged_records", stats.damaged_records},
               {"scrub", state_name(scrub.state)}};
  if (scrub.state != ScrubState::never) {
    json["scrub_percent"] = percent_of(scrub);
    json["scrub_rotten"] = scrub.rotten_sectors;
    json["scrub_learned"] = scrub.learned_sectors;
    json["scrub_first_rotten"] = scrub.first_rotten;
  }
  if (scrub.error != StoreErrc::ok) {
    json["scrub_error"] = store_errc_name(scrub.error);
  }
  if (volume.ended_unix_seconds != 0) {
    json["scrub_ended_unix_seconds"] = volume.ended_unix_seconds;
  }
  return json;
}

Json Scrubber::status(DeviceAddress address) const {
  const auto found = volumes_.find(address);
  return found == volumes_.end() ? Json() : status_of(found->second);
}

}  // namespace aoe::targetd
