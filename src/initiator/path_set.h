// The ways to one device: each a local port and a remote MAC.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/port_info.h"
#include "initiator/exchange_table.h"
#include "initiator/flap_damper.h"
#include "initiator/index_list.h"
#include "initiator/options.h"
#include "initiator/payload_limit.h"
#include "initiator/rtt_estimator.h"
#include "initiator/window.h"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::initiator {

enum class PathState : std::uint8_t {
  probing,  // said that it is the device; IDENTIFY is on its way
  live,
  suspect,      // live, but the last frames expired: used when nothing better is there, and probed
  down,         // the port has no link
  quarantined,  // leads to something else under the same address; see QuarantineReason
};

[[nodiscard]] const char* path_state_name(PathState state);

// What a target says about itself in a config answer.
struct TargetLimits {
  std::uint16_t buffer_count = 0;
  std::uint8_t sector_count = 0;  // 0 = 2 (reserved field before AoEr10; the Linux driver does so)
};

// What is known of the far end's protocol.
enum class Peer : std::uint8_t {
  unknown,  // hello is under way: no data until that is settled
  plain,
  session,  // it has granted one: Path::session
};

[[nodiscard]] const char* peer_name(Peer peer);

struct Path {
  PortId port{};
  MacAddress mac{};
  PathState state = PathState::probing;
  QuarantineReason quarantine = QuarantineReason::none;
  Peer peer = Peer::unknown;
  std::uint32_t session = kNoIndex;  // in the device's PeerSessions
  bool is_identified = false;        // the disk behind it is the device's
  bool wants_identity = false;       // something looked odd: identify it again
  // The exchange of each PathQuestion that is under way, or kNoIndex.
  std::array<std::uint32_t, kPathQuestions> questions{kNoIndex, kNoIndex, kNoIndex, kNoIndex};
  TargetLimits target{};
  PayloadLimit payload{};             // 0 sectors: no frame of data fits
  bool was_narrow = false;            // larger frames vanished, and that was told
  std::uint32_t in_flight = 0;        // data frames
  std::uint32_t expiries_in_row = 0;  // without any answer
  Instant identified{};               // when IDENTIFY was last answered
  Instant answered{};                 // when anything last was
  Instant control_asked{};            // when the last PathQuestion::control with an answer was sent
  Instant damage_told{};              // when a damaged frame was last made an event
  FlapDamper damper{};
  bool is_held = false;  // would be live, were it not for the damper
  RttEstimator rtt;
  RttHistogram round_trips;
  Window window;
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_answered = 0;
  std::uint64_t retransmissions = 0;
  std::uint64_t expiries = 0;
  std::uint64_t damaged = 0;  // frames with a wrong checksum

  [[nodiscard]] bool carries_data() const {
    return is_serving() && is_identified && peer != Peer::unknown && payload.sectors() > 0;
  }

  // Whether it counts as a way to the disk, even if nothing may be sent this moment.
  [[nodiscard]] bool is_serving() const {
    return state == PathState::live || state == PathState::suspect;
  }

  [[nodiscard]] bool is_asking(PathQuestion question) const {
    return questions.at(static_cast<std::size_t>(question)) != kNoIndex;
  }
};

class PathSet {
 public:
  // At most `paths_max`, all memory allocated here.
  explicit PathSet(std::uint32_t paths_max) : paths_max_(paths_max) { paths_.reserve(paths_max); }

  // Index of the path, which stays the same as long as the device is open.
  [[nodiscard]] std::optional<std::uint32_t> find(PortId port, const MacAddress& mac) const;

  // Nullopt when full.
  [[nodiscard]] std::optional<std::uint32_t> add(PortId port, const MacAddress& mac,
                                                 const RttLimits& rtt);
  // A path that never carried data and may be replaced: forged answers must not keep real paths
  // out.
  [[nodiscard]] std::optional<std::uint32_t> find_unused() const;
  void replace(std::uint32_t index, PortId port, const MacAddress& mac, const RttLimits& rtt);

  [[nodiscard]] Path& at(std::uint32_t index) { return paths_[index]; }

  [[nodiscard]] const Path& at(std::uint32_t index) const { return paths_[index]; }

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(paths_.size()); }

  void clear() { paths_.clear(); }

  // The path on which a frame of `payload_sectors` (0: any path will do) should be answered first,
  // among those with room in their windows: the fewest frames in flight, weighed with the round
  // trip. Suspect paths only when none is live.
  [[nodiscard]] std::optional<std::uint32_t> choose(std::uint32_t payload_sectors) const;

  // Whether any path that carries data now could carry such a frame, were there room.
  [[nodiscard]] bool can_carry(std::uint32_t payload_sectors) const;

  [[nodiscard]] bool any_live() const;
  [[nodiscard]] bool any_carries_data() const;

  // Of the live paths (or, without one, of the suspect ones), 0 without any.
  [[nodiscard]] std::uint32_t smallest_payload_sectors() const;

 private:
  [[nodiscard]] std::optional<std::uint32_t> choose_in(PathState state,
                                                       std::uint32_t payload_sectors) const;

  std::uint32_t paths_max_;
  std::vector<Path> paths_;
};

}  // namespace aoe::initiator
