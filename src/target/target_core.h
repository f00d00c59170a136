// The target as a state machine without I/O: frames, store completions and the time go in, frames,
// store operations, states to save and events come out.
#pragma once

#include "base/buffer_pool.h"
#include "base/port_info.h"
#include "base/prng.h"
#include "base/result.h"
#include "target/announcer.h"
#include "target/ata_executor.h"
#include "target/core_parts.h"
#include "target/handover.h"
#include "target/late_write_filter.h"
#include "target/responder.h"
#include "target/session_keeper.h"
#include "target/state_keeper.h"
#include "target/target_stats.h"
#include "target/target_types.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace aoe::target {

// Routes frames to the parts that answer them. Owns no thread, socket, file or clock; the same
// object runs under the event loop, the simulator and the fuzzer.
//
// Use: after any batch of inputs drain the outputs, poll_store_ops first (a store may finish at
// once; feed that back before the rest), then poll_state_save, poll_transmit, poll_events; then
// sleep until poll_timeout() at the latest and call handle_timeout. Same inputs, limits and seed
// give the same outputs, byte for byte. `now` never goes back.
//
// Frames never make it allocate (valid changes of state by wire do, within changes_max), and never
// make it fail: what cannot be answered is counted in stats().drops.
class TargetCore {
 public:
  // `pool` outlives the core; it needs limits.requests_max buffers and some to spare, with room for
  // the largest frame of any port.
  TargetCore(const TargetLimits& limits, BufferPool& pool, Prng prng);
  ~TargetCore() = default;
  TargetCore(const TargetCore&) = delete;
  TargetCore& operator=(const TargetCore&) = delete;

  // ---- Administration -------------------------------------------------------------------------

  // Starts to serve an export: first listens for another station at its address, then advertises it
  // (EventKind::export_ready or address_conflict tells). invalid_argument: an address or size that
  // cannot be exported; already_exists; no_space: exports_max.
  [[nodiscard]] Result<ExportId> add_export(Instant now, const ExportSettings& settings,
                                            PersistentState state);
  // No new requests; EventKind::export_removed follows when the last one in flight has finished and
  // the store may go. not_found for a stale id.
  Result<void> remove_export(Instant now, ExportId id);
  enum class Online : bool { no, yes };
  Result<void> set_online(Instant now, ExportId id, Online online);
  // A failed export serves writes again (the operator has looked at the backing).
  Result<void> clear_failure(ExportId id);
  // A new size, told to everybody. Shrinking cuts off what is behind the end at once: the caller
  // has made sure that this is wanted.
  Result<void> resize(ExportId id, std::uint64_t sector_count);
  // Puts identity and life counters on disk. busy: another change is on its way.
  Result<void> save_state(Instant now, ExportId id);
  // What this core knows of an export that has no request in flight, for a target that takes its
  // place. busy, not_found.
  [[nodiscard]] Result<Handover> hand_over(Instant now, ExportId id);
  // The export was just added, and this is what the target before left, a moment ago: it serves at
  // once, and for initiators it never stopped. not_found.
  Result<void> take_over(Instant now, ExportId id, const Handover& handover);
  // Settings that can change while it serves: access lists, buffers, model, serial, ports, caps and
  // weights (a new weight counts once the initiator has nothing under way), and for what comes from
  // now on the duplicate memory and the guard against late writes.
  Result<void> update_settings(ExportId id, const ExportSettings& settings);

  // ---- Inputs ---------------------------------------------------------------------------------

  // A port appeared or changed; a link that came up, and a new MTU or MAC, are advertised. port <
  // limits.ports_max.
  void handle_port(Instant now, PortId port, const PortInfo& info);
  void handle_frame(Instant now, PortId port, PacketBuffer frame);
  // That frame will be handed in soon: what it is about comes from memory meanwhile, first the way
  // to its export, and a few frames later the export. No effect that could be seen.
  enum class Expected : std::uint8_t { later, next };
  void expect(const PacketBuffer& frame, Expected when) const;
  // Nobody turned the core for two seconds or more until now, although something was to be done:
  // the process was stopped, or had no processor. ATA answers that wait to be sent are given up,
  // and plain requests in flight end without one. After an idle time it changes nothing.
  void handle_standstill();
  void handle_store_done(Instant now, const StoreCompletion& done);
  // The answer to a StateSave.
  void handle_state_saved(Instant now, ExportId id, std::uint64_t generation,
                          StateKeeper::Saved saved);
  void handle_timeout(Instant now);

  // ---- Outputs: each fills `out` from the front and returns how many
  // ------------------------------

  [[nodiscard]] std::size_t poll_store_ops(std::span<ExportStoreOp> out);

  // For a write that poll_store_ops() has just handed out, to a store that takes its time: its
  // data, copied out of the frame, which goes back to the port it came from.
  [[nodiscard]] ByteSpan keep_data(StoreTag tag) { return executor_.keep_data(tag); }

  [[nodiscard]] std::optional<StateSave> poll_state_save();
  [[nodiscard]] std::size_t poll_transmit(std::span<TxFrame> out);

  // Whether it would hand something out.
  [[nodiscard]] bool has_frames_to_send() const { return parts_.replies.has_frames(); }

  [[nodiscard]] std::size_t poll_events(std::span<TargetEvent> out);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

  // ---- Getters ----------------------------------------------------------------------------------

  // With events_lost brought up to date.
  [[nodiscard]] TargetStats stats() const;
  // nullptr for a stale id. Valid until the next add_export or remove_export.
  [[nodiscard]] const Export* find(ExportId id);
  [[nodiscard]] const Export* find(DeviceAddress address);

  [[nodiscard]] std::span<Export* const> exports() const { return parts_.exports.all(); }

  [[nodiscard]] std::span<const Initiator> initiators() const {
    return parts_.initiators.entries();
  }

  // Free places included: those with id 0.
  [[nodiscard]] std::span<const Session> sessions() const { return parts_.sessions.all(); }

  // Of the session at that place: its lowest open sequence, and how many are being executed.
  [[nodiscard]] std::uint32_t sequence_low(std::uint16_t session) const {
    return parts_.duplicates.low(session);
  }

  [[nodiscard]] std::uint32_t sequences_executing(std::uint16_t session) const {
    return parts_.duplicates.executing(session);
  }

  // What hello calls the target instance.
  [[nodiscard]] std::uint64_t instance() const { return parts_.instance; }

  [[nodiscard]] std::uint32_t requests_in_flight() const { return executor_.in_flight(); }

  // Looks at every place: for tests and people.
  [[nodiscard]] TargetUse table_use() const;

 private:
  [[nodiscard]] bool is_acceptable(PortId port, const protocol::FrameHeader& header);
  void handle_request(Arrival& arrival, PacketBuffer&& frame);
  void handle_wildcard(const Arrival& arrival, PacketBuffer frame);
  void dispatch(Arrival& arrival, PacketBuffer&& frame, Export& subject);
  void dispatch_ata(Arrival& arrival, PacketBuffer&& frame, Export& subject);
  void finish_removals();
  // Puts self-tests that began or ended on their way to disk.
  void save_self_tests(Instant now);
  void save_changed_self_tests(Instant now);

  CoreParts parts_;
  Responder responder_;
  LateWriteFilter late_writes_;
  AtaExecutor executor_;
  SessionKeeper sessions_;
  StateKeeper keeper_;
  Announcer announcer_;
  std::uint32_t removing_count_ = 0;
};

// invalid_argument: an address that cannot be exported.
[[nodiscard]] Result<void> check_address(DeviceAddress address);

}  // namespace aoe::target
