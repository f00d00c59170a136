#include "sim/swarm/coverage.h"

namespace aoe::sim {
namespace {

constexpr std::array<const char*, kRareStateCount> kNames = {
    "retransmission",
    "window-cut",
    "late-answer",
    "tags-at-rest",
    "tag-wrap",
    "payload-step-down",
    "resplit",
    "overlap-wait",
    "fence-raised",
    "fence-wait",
    "fence-table-full",
    "no-send-buffer",
    "path-table-full",
    "quarantine",
    "device-unavailable",
    "events-lost",
    "session-founded",
    "session-lost",
    "plain-fallback",
    "sequence-wait",
    "damaged-answer",
    "foreign-answer",
    "size-refused",
    "payload-step-up",
    "requests-merged",
    "path-held-back",
    "path-suspected",
    "early-loss",
    "loss-by-chance",
    "needless-retransmission",
    "paced-send",
    "failed-fast",
    "second-instance",
    "path-lost",
    "device-lost",
    "failover-during-flush",
    "request-in-doubt",
    "initiator-crash",
    "request-table-full",
    "light-replies-limited",
    "change-pending",
    "range-wait",
    "backend-stalled",
    "export-failed",
    "address-conflict",
    "reservation-changed",
    "target-kill",
    "target-restart",
    "copy-while-executing",
    "answered-from-memory",
    "stale-copy-dropped",
    "renew",
    "session-table-full",
    "damaged-request",
    "held-after-start",
    "late-change-dropped",
    "linux-clock-learned",
    "linux-clock-lost",
    "late-linux-write-dropped",
    "linux-write-unremembered",
    "linux-retransmission",
    "linux-disk-given-up",
    "linux-disk-returned",
    "write-reissued",
    "repeated-execution",
    "execution-after-answer",
    "orphan-execution",
    "torn-write",
    "lost-cache",
    "disk-error",
    "overflow",
    "oversized",
    "reordered",
    "clogged",
    "ring-overflow",
    "hostile-frame",
    "rogue-asked",
};

}  // namespace

const char* rare_state_name(RareState state) {
  return kNames[static_cast<std::size_t>(state)];
}

bool is_required(RareState state) {
  switch (state) {
    case RareState::linux_clock_lost:
    case RareState::linux_write_unremembered:
      return false;
    default:
      return true;
  }
}

std::vector<RareState> Coverage::missing() const {
  std::vector<RareState> states;
  for (std::size_t i = 0; i < kRareStateCount; ++i) {
    if (counts_[i] == 0 && is_required(static_cast<RareState>(i))) {
      states.push_back(static_cast<RareState>(i));
    }
  }
  return states;
}

}  // namespace aoe::sim
