// The ways to one device: each a local port and a remote MAC.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/port_info.h"
#include "initiator/exchange_table.h"
#include "initiator/flap_damper.h"
#include "initiator/index_list.h"
#include "initiator/loss_window.h"
#include "initiator/options.h"
#include "initiator/payload_limit.h"
#include "initiator/rtt_estimator.h"

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
  PayloadLimit payload{};           // 0 sectors: no frame of data fits
  bool was_narrow = false;          // larger frames vanished, and that was told
  std::uint32_t in_flight = 0;      // frames of requests
  std::uint32_t losses_in_row = 0;  // of those, without any answer
  Instant identified{};             // when IDENTIFY was last answered
  Instant answered{};               // when anything last was
  Instant control_asked{};          // when the last PathQuestion::control with an answer was sent
  Instant damage_told{};            // when a damaged frame was last made an event
  FlapDamper damper{};
  bool is_held = false;  // would be live, were it not for the damper
  RttEstimator network;  // of IDENTIFY, which needs no disk
  RttEstimator rtt;      // of data frames
  RttHistogram round_trips;
  LossWindow window;
  double loss_share = 0;        // of the last hundred data frames or so, 0..1
  double usual_loss_share = 0;  // of the last thousand
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_read = 0;     // of those that read, each counted once
  std::uint64_t frames_written = 0;  // of those that change data, likewise
  std::uint64_t frames_answered = 0;
  std::uint64_t retransmissions = 0;
  std::uint64_t losses = 0;   // frames of requests that were given up
  std::uint64_t damaged = 0;  // frames with a wrong checksum
  // Answers to frames of requests, by what was wrong with them.
  std::uint64_t truncated = 0;   // less data than asked for
  std::uint64_t aoe_errors = 0;  // refused by the target, see protocol::AoeError
  std::uint64_t ata_errors = 0;  // failed on its disk
  std::uint64_t corrected = 0;   // read with an error that the disk corrected

  // A data frame was answered (0) or lost (1).
  void note_outcome(double lost) {
    loss_share += (lost - loss_share) / 128;
    usual_loss_share += (lost - usual_loss_share) / 1024;
  }

  // Whether so many losses in a row are more than chance: once in a million.
  [[nodiscard]] bool is_no_chance(std::uint32_t lost_frames) const;

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

  struct Wish {
    std::uint32_t payload_sectors = 0;  // 0: any path will do
    std::uint32_t avoid = kNoIndex;     // only when there is no other
    PathPolicy policy = PathPolicy::fastest;
  };

  // The path that a frame should take, among those that carry it and have room in their windows.
  // Suspect paths only when none is live.
  [[nodiscard]] std::optional<std::uint32_t> choose(const Wish& wish);

  // Whether any path that carries data now could carry such a frame, were there room.
  [[nodiscard]] bool can_carry(std::uint32_t payload_sectors) const;

  [[nodiscard]] bool any_live() const;
  [[nodiscard]] bool any_carries_data() const;

  // Whether every path whose port has a link is quarantined, and there is one.
  [[nodiscard]] bool are_quarantined() const;

  // Of the live paths (or, without one, of the suspect ones), 0 without any.
  [[nodiscard]] std::uint32_t smallest_payload_sectors() const;

  // The most frames that the target takes of this device, over all paths: they lead to the same
  // buffers.
  [[nodiscard]] std::uint32_t target_buffers() const;

 private:
  [[nodiscard]] std::optional<std::uint32_t> choose_in(PathState state, const Wish& wish) const;
  // Whether path `index` should be taken rather than `best`.
  [[nodiscard]] bool is_better(std::uint32_t index, std::uint32_t best, const Wish& wish) const;

  std::uint32_t paths_max_;
  std::uint32_t last_chosen_ = 0;
  std::vector<Path> paths_;
};

}  // namespace aoe::initiator
