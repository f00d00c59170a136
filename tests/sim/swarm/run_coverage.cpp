// What a run has come near to.
#include "sim/swarm/run.h"

namespace aoe::sim {

void SwarmRun::count_coverage() {
  for (const auto& host : fabric_.initiators()) {
    const initiator::CoreStats stats = host->total_stats();
    coverage_.add(RareState::retransmission, stats.retransmissions);
    coverage_.add(RareState::window_cut, stats.window_cuts);
    coverage_.add(RareState::late_answer, stats.unknown_tag);
    coverage_.add(RareState::tags_at_rest, stats.tags_exhausted);
    coverage_.add(RareState::payload_step_down, stats.payload_steps_down);
    coverage_.add(RareState::resplit, stats.resplits);
    coverage_.add(RareState::overlap_wait, stats.overlap_waits);
    coverage_.add(RareState::fence_raised, stats.fences_raised);
    coverage_.add(RareState::fence_wait, stats.fence_waits);
    coverage_.add(RareState::fence_table_full, stats.fence_overflows);
    coverage_.add(RareState::no_send_buffer, stats.buffers_exhausted);
    coverage_.add(RareState::path_table_full, stats.paths_refused);
    coverage_.add(RareState::quarantine, stats.quarantines);
    coverage_.add(RareState::device_unavailable, stats.device_unavailable);
    coverage_.add(RareState::session_founded, stats.sessions);
    coverage_.add(RareState::session_lost, stats.session_losses);
    coverage_.add(RareState::plain_fallback, stats.plain_fallbacks);
    coverage_.add(RareState::sequence_wait, stats.sequence_waits);
    coverage_.add(RareState::damaged_answer, stats.frames_damaged);
    coverage_.add(RareState::foreign_answer, stats.wrong_seal + stats.unsealed);
    coverage_.add(RareState::size_refused, stats.size_refusals);
    coverage_.add(RareState::payload_step_up, stats.payload_steps_up);
    coverage_.add(RareState::requests_merged, stats.requests_merged);
    coverage_.add(RareState::path_held_back, stats.path_holds);
    coverage_.add(RareState::path_suspected, stats.paths_suspected);
    coverage_.add(RareState::early_loss, stats.early_losses);
    coverage_.add(RareState::loss_by_chance, stats.chance_losses);
    coverage_.add(RareState::needless_retransmission, stats.spurious_retransmissions);
    coverage_.add(RareState::paced_send, stats.paced_sends);
    coverage_.add(RareState::failed_fast, stats.requests_failed_fast);
    coverage_.add(RareState::ring_overflow, host->ring_overflows());
    coverage_.add(RareState::tag_wrap, host->tag_wraps());
  }
  for (const auto& machine : fabric_.linux_machines()) {
    coverage_.add(RareState::ring_overflow, machine->ring_overflows());
    coverage_.add(RareState::linux_retransmission, machine->driver().counters().retransmissions);
    coverage_.add(RareState::linux_disk_given_up, machine->driver().counters().disks_killed);
    coverage_.add(RareState::linux_disk_returned, machine->returns());
  }
  coverage_.add(RareState::hostile_frame, hostile_ == nullptr ? 0 : hostile_->frames_sent());
  coverage_.add(RareState::rogue_asked, rogue_ == nullptr ? 0 : rogue_->identified());
  for (const auto& workload : workloads_) {
    const WorkloadCounters& counters = workload->counters();
    coverage_.add(RareState::path_lost, counters.paths_lost);
    coverage_.add(RareState::device_lost, counters.devices_lost);
    coverage_.add(RareState::events_lost, counters.events_lost);
    coverage_.add(RareState::failover_during_flush, counters.flushes_moved);
    coverage_.add(RareState::second_instance, counters.second_instances);
    coverage_.add(RareState::request_in_doubt, counters.timed_out + counters.lost);
  }
  for (const auto& host : fabric_.targets()) {
    const TargetTotals totals = host->totals();
    coverage_.add(RareState::request_table_full, totals.queue_full);
    coverage_.add(RareState::light_replies_limited, totals.rate_limited);
    coverage_.add(RareState::change_pending, totals.change_pending);
    coverage_.add(RareState::range_wait, totals.range_waits);
    coverage_.add(RareState::backend_stalled, totals.stalls);
    coverage_.add(RareState::export_failed, totals.failures);
    coverage_.add(RareState::address_conflict, totals.conflicts);
    coverage_.add(RareState::reservation_changed, totals.reservations);
    coverage_.add(RareState::target_restart, totals.restarts);
    coverage_.add(RareState::copy_while_executing, totals.copies_executing);
    coverage_.add(RareState::answered_from_memory, totals.copies_answered);
    coverage_.add(RareState::stale_copy_dropped, totals.copies_stale);
    coverage_.add(RareState::renew, totals.renews);
    coverage_.add(RareState::session_table_full, totals.hellos_refused);
    coverage_.add(RareState::damaged_request, totals.damaged);
    coverage_.add(RareState::held_after_start, totals.held);
    coverage_.add(RareState::late_change_dropped, totals.late_changes);
    coverage_.add(RareState::linux_clock_learned, totals.clocks_learned);
    coverage_.add(RareState::linux_clock_lost, totals.clocks_lost);
    coverage_.add(RareState::late_linux_write_dropped, totals.late_writes);
    coverage_.add(RareState::linux_write_unremembered, totals.unremembered_writes);
    coverage_.add(RareState::ring_overflow, host->ring_overflows());
  }
  coverage_.add(RareState::write_reissued, judges_.executions.counters().reissued);
  coverage_.add(RareState::repeated_execution, judges_.executions.counters().repeated);
  coverage_.add(RareState::execution_after_answer, judges_.executions.counters().after_answer);
  for (const auto& disk : fabric_.disks()) {
    coverage_.add(RareState::orphan_execution, disk->counters().orphans);
    coverage_.add(RareState::torn_write, disk->counters().torn);
    coverage_.add(RareState::lost_cache, disk->counters().lost_sectors);
    coverage_.add(RareState::disk_error, disk->counters().errors);
  }
  for (const auto& link : fabric_.links()) {
    for (const LinkDirection* direction : {&link->to_far(), &link->to_near()}) {
      const LinkCounters& counters = direction->counters();
      coverage_.add(RareState::overflow, counters.overflowed);
      coverage_.add(RareState::oversized, counters.oversized);
      coverage_.add(RareState::reordered, counters.reordered);
    }
  }
}

}  // namespace aoe::sim
