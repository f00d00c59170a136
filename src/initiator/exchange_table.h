// The frames that were sent and wait for an answer.
#pragma once

#include "base/fixed_array.h"
#include "initiator/deadline_heap.h"
#include "initiator/frame_op.h"
#include "initiator/index_list.h"
#include "initiator/io_request.h"
#include "initiator/tag_table.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace aoe::initiator {

enum class ExchangeKind : std::uint8_t {
  none,
  io,       // a piece of an IoRequest
  probe,    // a PathQuestion on one path
  command,  // a CommandRequest
};

enum class PathQuestion : std::uint8_t {
  identity,  // IDENTIFY: who is there
  hello,     // does it speak our extension
  size,      // does a frame of this size pass, both ways: a padded read
  control,   // how long does a read of one sector take: what the silence of `size` is held against
};

inline constexpr std::size_t kPathQuestions = 4;

// One question under one tag. All its transmissions carry the same tag and the same bytes behind
// the Ethernet header; only the path may differ.
struct Exchange {
  ExchangeKind kind = ExchangeKind::none;
  Tag tag{};
  DeviceId device{};                               // io and probe
  FrameOp op = FrameOp::read;                      // io
  PathQuestion question = PathQuestion::identity;  // probe
  std::uint32_t owner = 0;           // the command, or the first request that the frame serves
  std::uint32_t path = 0;            // io and probe: index of the last path it was sent over
  std::uint32_t paths_used = 0;      // io and probe: bit mask of all of them
  std::uint32_t paths_reused = 0;    // io: of those it was sent over more than once
  std::uint32_t paths_answered = 0;  // io: of those an answer came by
  std::uint32_t ports_used = 0;      // command: bit mask
  bool in_flight = false;            // sent, not given up: counted in the windows
  bool queued = false;               // on a list that waits for transmission
  bool on_flight = false;            // io: on the list of its device's Flight
  bool refused = false;              // answered with AoE error 3: the round trip says nothing
  Instant size_refused_at{};         // when a target refused it, maybe for its size
  std::uint8_t size_passes = 0;      // times that the size passed after a refusal
  std::uint64_t flight_number = 0;   // io: its last transmission among those of the device
  Lba lba{};                         // io: where the frame starts on the disk
  std::uint64_t sectors = 0;         // likewise, of all requests it serves; probe: the size
  std::uint64_t offset_sectors = 0;  // of its start in the first request
  std::uint32_t session_id = 0;      // io: the session of the last transmission; 0: it went plain
  std::uint32_t session = kNoIndex;  // its index in the device
  std::uint32_t sequence = 0;        // in that session; 0: none
  std::uint64_t cache_epoch = 0;     // of its target when it first went under that session
  bool is_mixed = false;             // io: not all transmissions went under that session, or plain
  Instant sent{};                    // last transmission
  Instant first_sent{};
  std::uint32_t transmissions = 0;
};

// One path of one device.
struct DevicePath {
  DeviceId device{};
  std::uint32_t path = 0;
};

// Tags, the exchange behind each, and the timer of each, in tables of one size. An exchange is
// named by its slot.
class ExchangeTable {
 public:
  explicit ExchangeTable(const TagTable::Options& options);

  // A new exchange with its tag set, or nullopt when no tag is free (see TagTable).
  [[nodiscard]] std::optional<std::uint32_t> acquire(ExchangeKind kind, Instant now);

  // Ends the exchange: its tag rests, its timer is cleared. It must be on no list.
  void release(std::uint32_t slot);

  [[nodiscard]] std::optional<std::uint32_t> find(Tag tag) const { return tags_.find(tag); }

  [[nodiscard]] Exchange& at(std::uint32_t slot) { return exchanges_[slot]; }

  [[nodiscard]] const Exchange& at(std::uint32_t slot) const { return exchanges_[slot]; }

  [[nodiscard]] std::uint32_t slots() const { return tags_.slots(); }

  [[nodiscard]] std::uint32_t in_use() const { return tags_.in_use(); }

  // See TagTable::wraps().
  [[nodiscard]] std::uint64_t tag_wraps() const { return tags_.wraps(); }

  [[nodiscard]] DeadlineHeap& timers() { return timers_; }

  [[nodiscard]] const DeadlineHeap& timers() const { return timers_; }

  // For the lists of exchanges that wait for transmission.
  [[nodiscard]] IndexLinks& links() { return links_; }

 private:
  TagTable tags_;
  FixedArray<Exchange> exchanges_;
  DeadlineHeap timers_;
  IndexLinks links_;
};

}  // namespace aoe::initiator
