// What the parts of a target core share. Internal to the module.
#pragma once

#include "base/prng.h"
#include "protocol/aoe_session.h"
#include "target/duplicate_filter.h"
#include "target/event_log.h"
#include "target/export_table.h"
#include "target/initiator_table.h"
#include "target/reply_queue.h"
#include "target/request_digest.h"
#include "target/session_table.h"
#include "target/target_stats.h"
#include "target/target_types.h"

namespace aoe::target {

// What the seal of a request said, and how its answer is to be sealed.
struct SealContext {
  std::uint16_t session = SessionTable::kNone;  // kNone = a plain request
  // Whether the request is executed once: its answer is remembered under seal.sequence.
  bool is_once = false;
  bool is_begun = false;  // it is executing
  protocol::Seal seal;
  RequestDigest digest;

  [[nodiscard]] bool is_sealed() const { return session != SessionTable::kNone; }
};

// Whom to answer, and how: taken from the newest copy of a request.
struct Requester {
  PortId port;
  protocol::FrameHeader header;
  SealContext context;
};

// A frame that passed the checks of TargetCore::handle_frame and is for one export.
struct Arrival : Requester {
  Instant now;
  ConstByteSpan bytes;  // the whole frame; of a sealed one what lies in front of the seal
  std::uint16_t initiator = InitiatorTable::kNone;
  // What the tag of a plain request says about when it was sent.
  TagClock::Sight sight = TagClock::Sight::ignored;

  [[nodiscard]] const Requester& requester() const { return *this; }
};

struct CoreParts {
  CoreParts(const TargetLimits& core_limits, BufferPool& pool, Prng core_prng)
      : limits(core_limits),
        prng(core_prng),
        replies(core_limits, pool, stats),
        exports(core_limits.exports_max),
        initiators(core_limits.initiators_max),
        sessions(core_limits.sessions_max),
        duplicates(core_limits.sessions_max, core_limits.sequence_window) {}

  TargetLimits limits;
  Prng prng;
  TargetStats stats;
  std::uint64_t instance = 0;  // what hello calls the target instance
  // Of stores that do not outlive this core: what hello calls their cache epoch.
  std::uint64_t volatile_epoch = 0;
  ReplyQueue replies;
  ExportTable exports;
  InitiatorTable initiators;
  SessionTable sessions;
  DuplicateFilter duplicates;
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
