// Carries requests out: admission, pieces, transmission, retransmission, completion.
#pragma once

#include "initiator/core_context.h"
#include "initiator/index_list.h"
#include "initiator/io_request.h"
#include "initiator/request_table.h"
#include "initiator/write_fence.h"
#include "protocol/aoe_frame.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace aoe::initiator {

// The life of a request:
//
//   submit -> waiting (overlap, fence) -> sending -> all pieces sent -> all answered -> completed
//                                            |  piece expired -> resend list -> sent again
//
// Holds no frame: a retransmission is built anew from the memory of the request, which its owner
// leaves alone until the completion.
class IoEngine {
 public:
  explicit IoEngine(const CoreContext& context);

  [[nodiscard]] Result<void, SubmitError> submit(Instant now, DeviceId id, const IoRequest& io);

  // An answer to exchange `slot` came over path `path`; address, command and path were checked.
  void on_answer(Instant now, std::uint32_t slot, std::uint32_t path,
                 const protocol::FrameHeader& header, ConstByteSpan frame);
  // An answer to no exchange that is known came over a path of the device.
  void on_late_answer(DeviceId id, Tag tag, std::uint32_t path);

  // The timer of exchange `slot` ran out.
  void on_expiry(Instant now, std::uint32_t slot);

  // The path carries nothing now: what is in flight on it is sent over another one, or waits.
  void on_path_lost(DeviceId id, std::uint32_t path);

  // The path answers again: what waits for a long timer is sent again now.
  void on_path_back(DeviceId id, std::uint32_t path) { on_path_lost(id, path); }

  // Deadlines of requests and fences.
  void on_time(Instant now);
  [[nodiscard]] std::optional<Instant> next_time() const;

  // Builds the next frame of any device into `out`; false when nothing may be sent now. The devices
  // take turns.
  [[nodiscard]] bool next_frame(Instant now, TxFrame& out);

  [[nodiscard]] std::size_t poll_completions(std::span<IoCompletion> out);

  // Ends everything of the device with `cancelled`.
  void cancel(Instant now, DeviceId id);

  [[nodiscard]] const WriteFence& fence() const { return fence_; }

 private:
  struct Queues {
    IndexList order;            // requests that have not ended, as submitted
    IndexList sending;          // those with pieces to send
    IndexList resend;           // exchanges to be sent again
    std::uint32_t waiting = 0;  // requests that were not started
    bool listed = false;        // on busy_
  };

  [[nodiscard]] Device& device(DeviceId id) { return *context_.devices[id.value]; }

  [[nodiscard]] Queues& queues(DeviceId id) { return queues_[id.value]; }

  [[nodiscard]] std::optional<SubmitError> check(const Device& device, const IoRequest& io) const;
  [[nodiscard]] std::optional<std::uint32_t> new_exchange(Instant now);
  [[nodiscard]] bool try_start(std::uint32_t id);
  void start_waiting(DeviceId id);
  void make_busy(DeviceId id);

  [[nodiscard]] bool device_frame(Instant now, DeviceId id, TxFrame& out);
  [[nodiscard]] bool resend_frame(Instant now, DeviceId id, TxFrame& out);
  [[nodiscard]] bool fresh_frame(Instant now, DeviceId id, TxFrame& out);
  [[nodiscard]] bool resplit(Instant now, std::uint32_t slot, std::uint32_t payload_sectors);
  void transmit(Instant now, std::uint32_t slot, std::uint32_t path, TxFrame& out);
  void arm_timer(std::uint32_t slot);

  [[nodiscard]] Piece piece_of(const Exchange& exchange);
  // A black hole for big frames, as far as one frame can tell.
  [[nodiscard]] bool vanishes_for_its_size(const Exchange& exchange, const Path& path);
  void leave_flight(Exchange& exchange);
  void queue_resend(std::uint32_t slot);
  void note_path_answer(Instant now, Exchange& exchange, std::uint32_t path);
  void end_exchange(std::uint32_t slot);
  void raise_fence(const Exchange& exchange);
  void on_final_error(Instant now, std::uint32_t slot, const IoCompletion& how);
  void stop_sending(std::uint32_t id);
  void finish_if_done(Instant now, std::uint32_t id);
  void end_request(Instant now, std::uint32_t id);
  void end_now(Instant now, std::uint32_t id, IoStatus status);

  CoreContext context_;
  RequestTable requests_;
  WriteFence fence_;
  std::vector<Queues> queues_;  // by DeviceId
  IndexLinks busy_links_;
  IndexList busy_;            // devices with something to send
  std::uint32_t frames_ = 0;  // exchanges of kind io
  Instant tags_retry_;        // zero: tags are free
};

}  // namespace aoe::initiator
