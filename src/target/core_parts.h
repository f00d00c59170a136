// What the parts of a target core share. Internal to the module.
#pragma once

#include "base/prng.h"
#include "target/event_log.h"
#include "target/export_table.h"
#include "target/initiator_table.h"
#include "target/reply_queue.h"
#include "target/target_stats.h"
#include "target/target_types.h"

namespace aoe::target {

// A frame that passed the checks of TargetCore::handle_frame and is for one export.
struct Arrival {
  Instant now;
  PortId port;
  protocol::FrameHeader header;
  ConstByteSpan bytes;  // the whole frame
  std::uint16_t initiator = InitiatorTable::kNone;
};

struct CoreParts {
  CoreParts(const TargetLimits& core_limits, BufferPool& pool, Prng core_prng)
      : limits(core_limits),
        prng(core_prng),
        replies(core_limits, pool, stats),
        exports(core_limits.exports_max),
        initiators(core_limits.initiators_max) {}

  TargetLimits limits;
  Prng prng;
  TargetStats stats;
  ReplyQueue replies;
  ExportTable exports;
  InitiatorTable initiators;
  EventLog events;

  void report(EventKind kind, const Export& subject, std::uint64_t value = 0,
              const MacAddress& mac = {}) {
    TargetEvent event;
    event.kind = kind;
    event.export_id = subject.id;
    event.address = subject.settings.address;
    event.mac = mac;
    event.value = value;
    events.add(event);
  }
};

}  // namespace aoe::target
