#include "initiator/path_set.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

Path new_path(PortId port, const MacAddress& mac, const RttLimits& rtt) {
  return {.port = port,
          .mac = mac,
          .state = PathState::probing,
          .rtt = RttEstimator(rtt),
          .round_trips = {},
          .window = Window(Window::kNoLimit)};
}

}  // namespace

const char* path_state_name(PathState state) {
  switch (state) {
    case PathState::probing:
      return "probing";
    case PathState::live:
      return "live";
    case PathState::suspect:
      return "suspect";
    case PathState::down:
      return "down";
    case PathState::quarantined:
      return "quarantined";
  }
  return "unknown";
}

const char* peer_name(Peer peer) {
  switch (peer) {
    case Peer::unknown:
      return "unknown";
    case Peer::plain:
      return "plain";
    case Peer::session:
      return "session";
  }
  return "unknown";
}

std::optional<std::uint32_t> PathSet::find(PortId port, const MacAddress& mac) const {
  for (std::uint32_t i = 0; i < size(); ++i) {
    if (paths_[i].port == port && paths_[i].mac == mac) {
      return i;
    }
  }
  return std::nullopt;
}

std::optional<std::uint32_t> PathSet::add(PortId port, const MacAddress& mac,
                                          const RttLimits& rtt) {
  if (size() == paths_max_) {
    return std::nullopt;
  }
  paths_.push_back(new_path(port, mac, rtt));
  return size() - 1;
}

std::optional<std::uint32_t> PathSet::find_unused() const {
  for (std::uint32_t i = 0; i < size(); ++i) {
    if (paths_[i].frames_sent == 0 && paths_[i].state != PathState::live) {
      return i;
    }
  }
  return std::nullopt;
}

void PathSet::replace(std::uint32_t index, PortId port, const MacAddress& mac,
                      const RttLimits& rtt) {
  paths_[index] = new_path(port, mac, rtt);
}

std::optional<std::uint32_t> PathSet::choose_in(PathState state,
                                                std::uint32_t payload_sectors) const {
  std::optional<std::uint32_t> best;
  std::int64_t best_cost = 0;
  for (std::uint32_t i = 0; i < size(); ++i) {
    const Path& path = paths_[i];
    if (path.state != state || !path.carries_data() || path.payload.sectors() < payload_sectors ||
        !path.window.has_room(path.in_flight)) {
      continue;
    }
    // An unmeasured path counts as a fast one, so that it gets measured.
    const std::int64_t rtt_us = std::max<std::int64_t>(path.rtt.srtt().ns / 1000, 1);
    const std::int64_t cost = (std::int64_t{path.in_flight} + 1) * rtt_us;
    if (!best || cost < best_cost ||
        (cost == best_cost && path.frames_sent < paths_[*best].frames_sent)) {
      best = i;
      best_cost = cost;
    }
  }
  return best;
}

std::optional<std::uint32_t> PathSet::choose(std::uint32_t payload_sectors) const {
  if (any_live()) {
    return choose_in(PathState::live, payload_sectors);
  }
  return choose_in(PathState::suspect, payload_sectors);
}

bool PathSet::can_carry(std::uint32_t payload_sectors) const {
  const bool live = any_live();
  return std::any_of(paths_.begin(), paths_.end(), [&](const Path& path) {
    return path.carries_data() && path.payload.sectors() >= payload_sectors &&
           (!live || path.state == PathState::live);
  });
}

bool PathSet::any_live() const {
  return std::any_of(paths_.begin(), paths_.end(), [](const Path& path) {
    return path.state == PathState::live && path.payload.sectors() > 0;
  });
}

bool PathSet::any_carries_data() const {
  return std::any_of(paths_.begin(), paths_.end(),
                     [](const Path& path) { return path.carries_data(); });
}

std::uint32_t PathSet::smallest_payload_sectors() const {
  const PathState wanted = any_live() ? PathState::live : PathState::suspect;
  std::uint32_t smallest = 0;
  for (const Path& path : paths_) {
    if (path.state == wanted && path.carries_data() &&
        (smallest == 0 || path.payload.sectors() < smallest)) {
      smallest = path.payload.sectors();
    }
  }
  return smallest;
}

}  // namespace aoe::initiator
