// The frozen sizes and the settings of an initiator core.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/time.h"
#include "initiator/device_loss.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aoe::initiator {

// Every table is allocated by the constructor and never grows. What does not fit waits or is
// refused, and is counted.
struct CoreLimits {
  std::uint32_t ports_max = 16;      // 1..32
  std::uint32_t devices_max = 16;    // open at the same time, 1..65535
  std::uint32_t paths_max = 8;       // of one device, 1..32
  std::uint32_t requests_max = 256;  // submitted and not polled yet, over all devices
  std::uint32_t frames_max = 1024;   // data frames in flight over all devices
  std::uint32_t commands_max = 16;   // raw commands, likewise
  std::uint32_t targets_max = 256;   // answers of the last discoveries that are remembered
  std::uint32_t events_max = 256;
  std::uint32_t fences_max = 256;  // ranges that rest after a retransmitted write
  std::uint32_t queries_max = 64;  // config queries waiting for a turn to be sent
};

// How many places of those tables are in use.
struct CoreUse {
  std::size_t devices = 0;
  std::size_t paths = 0;  // of the device that has most
  std::size_t requests = 0;
  std::size_t frames = 0;
  std::size_t commands = 0;
  std::size_t targets = 0;
  std::size_t events = 0;
  std::size_t fences = 0;
  std::size_t queries = 0;
};

// Timers of a path after RFC 6298.
struct RttLimits {
  Duration initial = Duration::milliseconds(200);  // of the network, before the first sample
  // Of data frames, likewise: nothing is known of the disk yet. Comes down as answers are seen.
  Duration data_initial = Duration::milliseconds(500);
  // Below this a busy disk looks like a lost frame: its latency has a heavy tail that mean and
  // deviation do not describe (measured up to 0.2 % needless copies by users of the Linux driver).
  Duration min = Duration::milliseconds(50);
  Duration max = Duration::seconds(2);
};

// Which of several live paths a frame takes.
enum class PathPolicy : std::uint8_t {
  fastest,         // on which the answer is expected first
  round_robin,     // each in turn
  active_passive,  // that of the first port, another one only while that is not live
};

struct CoreOptions {
  CoreLimits limits{};
  std::uint64_t seed = 0;  // of tags and jitter
  // How long a frame may exist in the network after it was sent. A tag rests, and a rewritten range
  // waits, that long. 4 s covers bridges that hold frames (IEEE 802.1D maximum bridge transit
  // delay 4 s for one bridge); 1 s is enough behind one switch.
  Duration frame_life_max = Duration::seconds(4);
  RttLimits rtt{};
  // Flush and trim may take long without any loss: they have a slow timer of their own. A copy that
  // is needless costs a target nothing but a frame, so the pauses stay short enough for users to
  // notice nothing of them when a network is whole again.
  Duration slow_retransmit = Duration::seconds(2);
  Duration slow_retransmit_max = Duration::seconds(5);
  Duration flush_timeout_min = Duration::seconds(60);  // drives bound a flush at 30 s
  // Queries for a device, and for everything. (A device whose paths went silent is also asked over
  // each of them, every RttLimits::max; and targets advertise themselves when they start.)
  Duration query_interval_min = Duration::milliseconds(100);
  Duration query_interval_max = Duration::seconds(60);
  // `off`: wildcard queries only on discover(). What one-shot tools want.
  enum class Wildcard : std::uint8_t { off, on };
  Wildcard wildcard_discovery = Wildcard::off;
  // `off`: speak the plain protocol with everybody.
  enum class Extension : std::uint8_t { off, on };
  Extension extension = Extension::on;
  // Absent: by chance. The tags of a core follow each other until the first slot is used again.
  std::optional<Tag> first_tag{};
  // Fewer bits than there are make tags begin again soon, which is what tests want; 0 = all.
  std::uint32_t tag_generation_bits = 0;
  // Losses in a row without any answer after which a path is avoided and probed.
  std::uint32_t suspect_after = 3;
};

// Settings of one open device.
struct DeviceSettings {
  enum class Access : std::uint8_t { read_write, read_only };
  Access access = Access::read_write;
  // How long one request is tried, unless it says so itself; 0 = for ever.
  Duration deadline = Duration::seconds(180);
  // What becomes of requests while no path reaches the device. 180 s is when the Linux driver gives
  // a device up (aoe_deadsecs).
  DeviceLoss::Options loss{.device_loss = Duration::seconds(180)};
  std::uint32_t payload_sectors_max = 0;  // 0 = no own limit
  std::uint32_t window_max = 0;           // frames in flight on one path; 0 = no own limit
  PathPolicy policy = PathPolicy::fastest;
  // Whom to trust, where the address alone is not enough. Empty: whoever answers first.
  std::vector<MacAddress> pinned_macs{};
  std::string pinned_serial{};
  // Several targets may serve one disk at the same time (gateways to one store). Then they must
  // have no volatile cache: a flush through one of them would not reach the cache of another.
  enum class Instances : std::uint8_t { one, many };
  Instances instances = Instances::one;
};

// Everything the core counts. Only ever grows.
struct CoreStats {
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t retransmissions = 0;
  std::uint64_t answers = 0;         // matched, of data, probes and commands
  std::uint64_t advertisements = 0;  // config answers and unsolicited ones that discovery used
  // Frames that were ignored, by cause.
  std::uint64_t malformed = 0;  // no AoE frame, or an argument that is cut off
  std::uint64_t not_a_response = 0;
  std::uint64_t unknown_tag = 0;    // late, duplicate, or another program's
  std::uint64_t wrong_address = 0;  // the tag is ours but shelf.slot is not what was asked
  std::uint64_t wrong_command = 0;
  std::uint64_t wrong_path = 0;  // from a MAC or port the request was not sent over
  std::uint64_t short_data = 0;  // less data than asked for
  std::uint64_t bad_source = 0;  // group or zero source, wildcard address
  // What the protocol machinery had to do.
  std::uint64_t expiries = 0;      // frames given up because nothing came any more
  std::uint64_t early_losses = 0;  // frames given up because later ones were answered
  std::uint64_t tail_probes = 0;   // the oldest frame of a silent path, sent again alone
  std::uint64_t spurious_retransmissions = 0;  // of frames that had not been lost, as far as seen
  std::uint64_t chance_losses = 0;             // taken for chance: no window was cut
  std::uint64_t window_cuts = 0;
  std::uint64_t paced_sends = 0;         // frames of devices with a window below one frame
  std::uint64_t payload_steps_down = 0;  // big frames vanished while small ones were answered
  std::uint64_t payload_steps_up = 0;    // a question of a larger size was answered
  std::uint64_t size_refusals = 0;       // a target refused a frame that may be too big for it
  std::uint64_t resplits = 0;            // frames cut smaller after the payload of the paths shrank
  std::uint64_t device_unavailable = 0;  // AoE error 3, retried
  std::uint64_t requests_merged = 0;     // requests that went into the frame of another one
  std::uint64_t overlap_waits = 0;       // requests that waited for an overlapping one
  std::uint64_t fence_waits = 0;         // requests that waited for a fence
  std::uint64_t fences_raised = 0;
  std::uint64_t fence_overflows = 0;  // no room: all writes of the device waited
  std::uint64_t tags_exhausted = 0;   // sending paused because every tag rests
  std::uint64_t buffers_exhausted = 0;
  std::uint64_t paths_refused = 0;    // no room in the path set
  std::uint64_t quarantines = 0;      // paths that lead to something else
  std::uint64_t paths_suspected = 0;  // paths that fell silent
  std::uint64_t path_holds = 0;       // paths that came and went, and were kept out of use for it
  std::uint64_t requests_failed_fast = 0;  // requests that ended for want of a path
  // The extension between our own ends.
  std::uint64_t sessions = 0;         // founded or renewed
  std::uint64_t session_losses = 0;   // a target had forgotten a session
  std::uint64_t caches_lost = 0;      // see CacheWatch
  std::uint64_t plain_fallbacks = 0;  // peers that do not speak it
  std::uint64_t sequence_waits = 0;   // times that a frame waited for room in the sequence window
  std::uint64_t frames_damaged = 0;   // answers with a wrong checksum, or without one
  std::uint64_t wrong_seal = 0;       // intact answers of another session or question
  std::uint64_t unsealed = 0;         // plain answers where a seal is due
};

}  // namespace aoe::initiator
