// How often the rare states were reached: a run that never comes near them proves nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace aoe::sim {

enum class RareState : std::uint8_t {
  // The initiator.
  retransmission,
  window_cut,
  late_answer,   // to a tag that is not in use any more
  tags_at_rest,  // sending paused because every tag rests
  tag_wrap,      // the tags of an exchange began again
  payload_step_down,
  resplit,
  overlap_wait,
  fence_raised,
  fence_wait,
  fence_table_full,
  no_send_buffer,
  path_table_full,
  quarantine,
  device_unavailable,
  events_lost,
  session_founded,
  session_lost,
  plain_fallback,
  sequence_wait,
  damaged_answer,
  foreign_answer,
  size_refused,
  payload_step_up,
  requests_merged,
  path_held_back,
  path_suspected,  // it fell silent
  early_loss,      // what was sent later was answered
  loss_by_chance,  // no window was cut for it
  needless_retransmission,
  paced_send,       // a window below one frame
  failed_fast,      // a request ended for want of a path
  second_instance,  // a path was quarantined because another target serves the disk
  path_lost,
  device_lost,
  failover_during_flush,
  request_in_doubt,
  initiator_crash,
  // The target.
  request_table_full,
  light_replies_limited,
  change_pending,
  range_wait,
  backend_stalled,
  export_failed,
  address_conflict,
  reservation_changed,
  target_kill,
  target_restart,
  copy_while_executing,
  answered_from_memory,
  stale_copy_dropped,
  renew,
  session_table_full,
  damaged_request,
  held_after_start,  // plain writes, because an earlier target may have known more
  late_change_dropped,
  linux_clock_learned,  // of the tags of a Linux host
  linux_clock_lost,     // a tag contradicted what was learned
  late_linux_write_dropped,
  linux_write_unremembered,  // it has to wait: the table of stamps is full
  // Machines with the Linux driver.
  linux_retransmission,
  linux_disk_given_up,
  linux_disk_returned,  // by discovery
  // Execution.
  write_reissued,
  repeated_execution,
  execution_after_answer,
  orphan_execution,
  torn_write,
  lost_cache,
  disk_error,
  // The network.
  overflow,
  oversized,
  reordered,
  clogged,
  ring_overflow,
  // Strangers.
  hostile_frame,  // sent by the hostile station
  rogue_asked,    // an initiator asked the rogue target who it is
};

inline constexpr std::size_t kRareStateCount = static_cast<std::size_t>(RareState::rogue_asked) + 1;

[[nodiscard]] const char* rare_state_name(RareState state);

// Whether the 500 seeds of every push must have been there. All but two, which are informative.
// linux_clock_lost: no frame here is older than a frame may be and no clock runs away, so a tag
// contradicts only where a target's pause and a long queue add up. linux_write_unremembered: that
// takes a narrow target, several Linux hosts and writes all over its disks; few seeds have it all.
[[nodiscard]] bool is_required(RareState state);

class Coverage {
 public:
  // Required states that were never reached.
  [[nodiscard]] std::vector<RareState> missing() const;

  void add(RareState state, std::uint64_t count = 1) {
    counts_[static_cast<std::size_t>(state)] += count;
  }

  [[nodiscard]] std::uint64_t count(RareState state) const {
    return counts_[static_cast<std::size_t>(state)];
  }

  void merge(const Coverage& other) {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      counts_[i] += other.counts_[i];
      runs_[i] += other.counts_[i] == 0 ? 0U : 1U;
    }
  }

  // In how many of the runs that were merged into this.
  [[nodiscard]] std::uint64_t runs(RareState state) const {
    return runs_[static_cast<std::size_t>(state)];
  }

 private:
  std::array<std::uint64_t, kRareStateCount> counts_{};
  std::array<std::uint64_t, kRareStateCount> runs_{};
};

}  // namespace aoe::sim
