// The initiator as a state machine without I/O: frames, link states and the time go in, frames and
// completions come out. The same object runs over packet sockets, in the simulator and under the
// fuzzer.
#pragma once

#include "base/buffer_pool.h"
#include "base/packet_buffer.h"
#include "base/port_info.h"
#include "base/prng.h"
#include "initiator/command_engine.h"
#include "initiator/core_context.h"
#include "initiator/discovery.h"
#include "initiator/event_queue.h"
#include "initiator/io_engine.h"
#include "initiator/io_request.h"
#include "initiator/options.h"
#include "initiator/path_keeper.h"
#include "initiator/path_prober.h"

#include <optional>
#include <span>

namespace aoe::initiator {

// Only routes and arbitrates; the work is done by its parts:
//
//   Discovery      when to ask, who answered          PathKeeper     who is behind a path, which
//   Device         identity, sessions, PathSet                       protocol and sizes it takes
//   ExchangeTable  tags and timers                    IoEngine       requests, frames, fences
//   EventQueue     what people must know              CommandEngine  raw commands
//
// How to drive it: after any input, call poll_transmit() until it returns 0, giving frames (and so
// their buffers) to the ports in between; then poll completions and events; then sleep until a
// frame or poll_timeout(). Time must not go backwards and must not be zero.
//
// Single thread. Allocates in the constructor and in open_device(), and for the texts of an answer
// to IDENTIFY.
class InitiatorCore {
 public:
  // `pool` serves every frame the core sends and outlives it. Its frame size limits the payload:
  // 36 + 512 n bytes carry n sectors.
  InitiatorCore(const CoreOptions& options, BufferPool& pool);
  InitiatorCore(const InitiatorCore&) = delete;
  InitiatorCore& operator=(const InitiatorCore&) = delete;
  ~InitiatorCore() = default;

  // --- inputs ---

  // A port appeared or changed. Must come before anything else of that port. Ids from
  // ports_max on are ignored.
  void handle_port(Instant now, PortId port, const PortInfo& info);

  // A frame that was received. Anything may be in it; what is not an answer to a question of ours
  // is counted and dropped. The buffer goes back to its owner before this returns.
  void handle_frame(Instant now, PortId port, PacketBuffer frame);

  // poll_timeout() has come. Calling it earlier or later does no harm.
  void handle_timeout(Instant now);

  // Asks for one target or, with the wildcards, for all, on every port, once. Answers become events
  // and records.
  // `only`: through this port alone, if its link is up.
  void discover(DeviceAddress address, std::optional<PortId> only = std::nullopt);

  // Looks for the device until it is closed. Errors: busy (devices_max are open), bad_request
  // (wildcard address, or open already).
  [[nodiscard]] Result<DeviceId, SubmitError> open_device(Instant now, DeviceAddress address,
                                                          const DeviceSettings& settings);
  // Other settings for an open device, from now on; deadlines of requests stay as they were.
  void change_settings(Instant now, DeviceId id, const DeviceSettings& settings);
  // Which disk it was when others last used it: another one is foreign from the start, and its size
  // is a change of this one's. Nothing when one has identified itself since it was opened.
  void expect_disk(DeviceId id, const protocol::IdentifyModel& disk);
  // Takes nothing new from now on, and ends what was accepted as it would end anyhow; then
  // EventKind::device_drained tells that it may be closed without loss.
  void drain_device(DeviceId id);
  // Ends its requests with `cancelled`: poll them before their memory goes.
  void close_device(Instant now, DeviceId id);

  // Accepted requests complete exactly once, not before this returns.
  [[nodiscard]] Result<void, SubmitError> submit(Instant now, DeviceId id,
                                                 const IoRequest& request);
  [[nodiscard]] Result<void, SubmitError> submit_command(Instant now,
                                                         const CommandRequest& request);

  void cancel_command(std::uint64_t cookie) { commands_.cancel(cookie); }

  // --- outputs ---

  // Moves up to out.size() frames into `out`; returns how many. 0: nothing to send now, or every
  // buffer is out.
  [[nodiscard]] std::size_t poll_transmit(Instant now, std::span<TxFrame> out);
  [[nodiscard]] std::size_t poll_completions(std::span<IoCompletion> out);
  [[nodiscard]] std::size_t poll_commands(std::span<CommandCompletion> out);
  [[nodiscard]] std::size_t poll_events(std::span<Event> out);
  // Frames that were sent again and answers to nothing; those of before nobody asked are few.
  [[nodiscard]] std::size_t poll_frame_notes(std::span<FrameNote> out);
  // When handle_timeout() should be called next, if at all. May be in the past.
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

  // --- views, valid until the next input ---

  [[nodiscard]] std::span<const TargetRecord> targets() const {
    return discovery_.targets().records();
  }

  // Null when the id is not open.
  [[nodiscard]] const Device* device(DeviceId id) const;

  [[nodiscard]] const CoreStats& stats() const { return stats_; }

  [[nodiscard]] CoreUse table_use() const;

  // How often the tags of an exchange began again, see TagTable::wraps().
  [[nodiscard]] std::uint64_t tag_wraps() const { return exchanges_.tag_wraps(); }

 private:
  [[nodiscard]] bool is_open(DeviceId id) const {
    return id.value < devices_.size() && devices_[id.value].has_value();
  }

  [[nodiscard]] std::optional<DeviceId> find_device(DeviceAddress address) const;
  [[nodiscard]] std::uint32_t ports_up() const;

  void on_config(Instant now, PortId port, const protocol::FrameHeader& header,
                 ConstByteSpan frame);
  void on_exchange_answer(Instant now, std::uint32_t slot, PortId port,
                          const protocol::FrameHeader& header, ConstByteSpan frame);
  void on_stray_answer(Instant now, PortId port, const protocol::FrameHeader& header);
  void on_expiry(Instant now, std::uint32_t slot);

  [[nodiscard]] bool next_query_frame(Instant now, TxFrame& out);

  CoreOptions options_;
  BufferPool& pool_;
  Prng random_;
  CoreStats stats_{};
  PortTable ports_;
  DeviceTable devices_;
  ExchangeTable exchanges_;
  EventQueue events_;
  FrameLog frame_log_;
  Discovery discovery_;
  CoreContext context_;
  PathProber prober_;
  IoEngine io_;
  PathKeeper paths_;
  CommandEngine commands_;
  std::uint32_t first_sequence_ = 1;  // for the next device that is opened
};

}  // namespace aoe::initiator
