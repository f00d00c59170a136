#include "initiator/path_set.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

Path new_path(PortId port, const MacAddress& mac, const RttLimits& rtt) {
  return {.port = port,
          .mac = mac,
          .state = PathState::probing,
          .network = RttEstimator(rtt),
          .rtt = RttEstimator(rtt),
          .round_trips = {},
          .window = LossWindow(LossWindow::kNoLimit)};
}

// A loss costs the frame another round trip and more.
constexpr double kRoundTripsPerLoss = 8;

constexpr double kLossShareMin = 0.001;
constexpr double kUnlikely = 1e-6;

// When a frame that is sent now should be answered: the round trips so far were those of the frames
// that were in flight then, so what is in flight now scales them.
double expected_ns(const Path& path) {
  // An unmeasured path counts as a fast one, so that it gets measured.
  const Duration round_trip = path.rtt.has_sample() ? path.rtt.srtt() : path.network.srtt();
  return static_cast<double>(std::max<std::int64_t>(round_trip.ns, 1000)) * (path.in_flight + 1) *
         (1 + kRoundTripsPerLoss * path.loss_share);
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

bool Path::is_no_chance(std::uint32_t lost_frames) const {
  double chance = 1;
  for (std::uint32_t i = 0; i < lost_frames && chance >= kUnlikely; ++i) {
    chance *= std::max(loss_share, kLossShareMin);
  }
  return chance < kUnlikely;
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

bool PathSet::is_better(std::uint32_t index, std::uint32_t best, const Wish& wish) const {
  switch (wish.policy) {
    case PathPolicy::round_robin: {
      const auto turns = [this](std::uint32_t path) {
        return (path + size() - last_chosen_ - 1) % size();
      };
      return turns(index) < turns(best);
    }
    case PathPolicy::active_passive:
      return paths_[index].port.value < paths_[best].port.value;
    case PathPolicy::fastest:
      break;
  }
  const double cost = expected_ns(paths_[index]);
  const double best_cost = expected_ns(paths_[best]);
  return cost < best_cost ||
         (cost == best_cost && paths_[index].frames_sent < paths_[best].frames_sent);
}

std::optional<std::uint32_t> PathSet::choose_in(PathState state, const Wish& wish) const {
  std::optional<std::uint32_t> best;
  for (std::uint32_t i = 0; i < size(); ++i) {
    const Path& path = paths_[i];
    if (path.state != state || !path.carries_data() ||
        path.payload.sectors() < wish.payload_sectors) {
      continue;
    }
    // Neither a full path nor one that lost a frame makes a passive one active.
    const bool is_left_out = i == wish.avoid || !path.window.has_room(path.in_flight);
    if (is_left_out && wish.policy != PathPolicy::active_passive) {
      continue;
    }
    if (!best || is_better(i, *best, wish)) {
      best = i;
    }
  }
  if (best && !paths_[*best].window.has_room(paths_[*best].in_flight)) {
    return std::nullopt;
  }
  return best;
}

std::optional<std::uint32_t> PathSet::choose(const Wish& wish) {
  const PathState state = any_live() ? PathState::live : PathState::suspect;
  std::optional<std::uint32_t> best = choose_in(state, wish);
  if (!best && wish.avoid != kNoIndex) {
    best = choose_in(state, {.payload_sectors = wish.payload_sectors, .policy = wish.policy});
  }
  last_chosen_ = best.value_or(last_chosen_);
  return best;
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

bool PathSet::are_quarantined() const {
  const auto is_quarantined = [](const Path& path) { return path.state == PathState::quarantined; };
  return std::any_of(paths_.begin(), paths_.end(), is_quarantined) &&
         std::all_of(paths_.begin(), paths_.end(), [&](const Path& path) {
           return is_quarantined(path) || path.state == PathState::down;
         });
}

std::uint32_t PathSet::target_buffers() const {
  std::uint32_t most = 1;
  for (const Path& path : paths_) {
    most = path.carries_data() ? std::max(most, path.window.limit()) : most;
  }
  return most;
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
