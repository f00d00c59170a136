// When an export was served last, to know whether frames that were meant for that can be left.
#pragma once

#include "base/bytes.h"
#include "base/time.h"
#include "os/boot_identity.h"

#include <optional>
#include <string>

namespace aoe::targetd {

// Written into the state directory when an export begins to be served and when that ends in good
// order; what ends otherwise leaves the first. Replaced whole, but not made stable: after a power
// cut the machine has another boot identity, whatever the file says.
struct ServingRecord {
  os::BootIdentity where;
  std::optional<Instant>
      stopped;  // of the monotonic clock of that boot; none: never, in good order

  [[nodiscard]] std::string encode() const;
  // Nothing for text that is no record.
  [[nodiscard]] static std::optional<ServingRecord> decode(ConstByteSpan text);
};

// What the state directory has of an export.
enum class EarlierService : std::uint8_t {
  none,     // it was never served
  unknown,  // it was, but the record is missing or damaged
  recorded,
};

struct HoldQuestion {
  EarlierService earlier = EarlierService::none;
  ServingRecord record;    // when recorded
  os::BootIdentity where;  // now
  Instant now;             // of the monotonic clock, which counts from the machine's start
  Duration frame_life;     // 0: nothing is held
};

// How long a target may be away and be taken for the same by whoever uses it.
inline constexpr Duration kHandoverLife = Duration::seconds(60);

// Whether what the earlier service left for its successor is true still: it ended in good order, in
// this start of the machine, a moment ago.
[[nodiscard]] bool may_take_over(const HoldQuestion& question);

// How long writes of plain initiators have to be held, so that no frame that was sent to an earlier
// service of the export is executed. Zero only where it is known that none can be left.
[[nodiscard]] Duration plain_write_hold(const HoldQuestion& question);

}  // namespace aoe::targetd
