// What a target core counts. Everything only grows, except the in-flight figures.
#pragma once

#include <cstdint>

namespace aoe::target {

// Frames that drew no answer, one counter a reason.
struct DropCounters {
  std::uint64_t runt = 0;  // shorter than a header
  std::uint64_t not_aoe = 0;
  std::uint64_t response = 0;    // the response flag was set and it was not an answer to a probe
  std::uint64_t bad_source = 0;  // group, zero or our own source address
  std::uint64_t not_for_us = 0;  // destination is another station
  std::uint64_t unknown_address = 0;  // no export of that shelf.slot here
  std::uint64_t access_denied = 0;    // source is not in the access list or the mask
  std::uint64_t bad_wildcard = 0;     // a command that wildcards or broadcast may not carry
  std::uint64_t config_mismatch = 0;  // config test without a match: silence is the answer
  std::uint64_t queue_full = 0;       // no request slot, buffer or fair share left
  std::uint64_t rate_limited = 0;     // light_replies_per_second
  std::uint64_t change_pending = 0;  // another change of the same state is still on its way to disk
  std::uint64_t stalled = 0;         // the store hangs
  std::uint64_t link_down = 0;       // no way to answer on that port
  std::uint64_t hello = 0;           // damaged, or no room for a session
  std::uint64_t sealed = 0;          // the reason is in the export's SealCounters
  std::uint64_t late_change = 0;     // a copy of a change of state that newer changes followed
  std::uint64_t late_write = 0;      // the reason is in the export's LateWriteCounters
  std::uint64_t waited = 0;          // would have been answered too late after a standstill
};

struct TargetStats {
  std::uint64_t frames = 0;      // received
  std::uint64_t replies = 0;     // handed out for sending
  std::uint64_t aoe_errors = 0;  // replies with the error flag
  std::uint64_t advertisements = 0;
  std::uint64_t events_lost = 0;     // nobody took them in time
  std::uint64_t clocks_learned = 0;  // of Linux hosts, in their tags
  std::uint64_t clocks_lost = 0;     // contradicted later
  DropCounters drops;
};

// What became of frames of initiators of our own kind (docs/PROTOCOL-EXTENSION.md).
struct SealCounters {
  std::uint64_t hellos = 0;                // answered
  std::uint64_t hellos_damaged = 0;        // dropped: wrong CRC, a renew, or to a group address
  std::uint64_t hellos_refused = 0;        // dropped: every session has something executing
  std::uint64_t sessions = 0;              // begun
  std::uint64_t requests = 0;              // taken to be executed
  std::uint64_t renews = 0;                // frames of unknown sessions, never executed
  std::uint64_t duplicates_executing = 0;  // copies of what is being executed
  std::uint64_t duplicates_answered = 0;   // copies of what was executed: answered from memory
  // Dropped, and counted in DropCounters::sealed:
  std::uint64_t stale = 0;          // copies of what is finished for the initiator
  std::uint64_t beyond_window = 0;  // the initiator does not keep to the window
  std::uint64_t mismatched = 0;     // the sequence belongs to another request
  std::uint64_t unordered = 0;      // data would change, but there is no sequence
  std::uint64_t damaged = 0;        // wrong CRC
  std::uint64_t refused = 0;        // unknown version, or a CRC where there should be none
};

// What became of writes of plain initiators that may have come late.
struct LateWriteCounters {
  std::uint64_t judged = 0;  // their tags told when they were sent
  // Dropped, and counted in DropCounters::late_write:
  std::uint64_t stale = 0;         // older than an executed write of the same host
  std::uint64_t contradicted = 0;  // the tag does not fit the host's clock (any more)
  std::uint64_t unremembered = 0;  // no room to remember when they were sent
  std::uint64_t held = 0;          // within a frame's life after the start
};

// What every request counts comes first.
struct ExportStats {
  std::uint32_t in_flight = 0;
  std::uint32_t in_flight_max = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t sectors_read = 0;
  std::uint64_t sectors_written = 0;
  std::uint64_t flushes = 0;
  std::uint64_t trims = 0;
  std::uint64_t others = 0;      // every other ATA command that was answered
  std::uint64_t ata_errors = 0;  // replies with the ERR or DF bit
  std::uint64_t aoe_errors = 0;
  std::uint64_t store_errors = 0;
  std::uint64_t waits = 0;    // requests that waited for an overlapping one
  std::uint64_t dropped = 0;  // requests refused for want of room or because the store hangs
  SealCounters seal;
  LateWriteCounters late;
};

}  // namespace aoe::target
