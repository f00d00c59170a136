// Carries requests out: admission, pieces, transmission, retransmission, completion.
#pragma once

#include "initiator/core_context.h"
#include "initiator/index_list.h"
#include "initiator/io_request.h"
#include "initiator/request_merger.h"
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
  // True when it was one: an answer that cannot be believed is counted and ignored.
  bool on_answer(Instant now, std::uint32_t slot, std::uint32_t path,
                 const protocol::FrameHeader& header, ConstByteSpan frame);
  // An answer to no exchange that is known came over a path of the device.
  void on_late_answer(DeviceId id, Tag tag, std::uint32_t path);

  // The timer of exchange `slot` ran out.
  void on_expiry(Instant now, std::uint32_t slot);

  // The path carries nothing now: what is in flight on it is sent over another one, or waits.
  void on_path_lost(DeviceId id, std::uint32_t path);

  // The path answers again: what waits for a long timer is sent again now.
  void on_path_back(DeviceId id, std::uint32_t path) { on_path_lost(id, path); }

  // Only smaller frames pass the path now: what is in flight on it and larger is sent again, cut.
  void on_payload_lowered(DeviceId id, std::uint32_t path);

  // The disk lost sectors: requests past its end fail.
  void on_shrink(Instant now, DeviceId id);

  // The device has been without a path for long: requests end as its DeviceLoss says.
  void on_no_path(Instant now, DeviceId id);

  // Sectors of data that the frame of an exchange, or its answer, carries.
  [[nodiscard]] std::uint32_t carried_sectors(std::uint32_t slot) const {
    return initiator::carried_sectors(piece_of(context_.exchanges.at(slot)));
  }

  [[nodiscard]] bool is_idle(DeviceId id) const { return queues_[id.value].order.empty(); }

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
  // How soon to look again when every tag rests.
  static constexpr Duration kTagRetry = Duration::milliseconds(10);

  struct Queues {
    IndexList order;            // requests that have not ended, as submitted
    IndexList sending_reads;    // those of them with something to send
    IndexList sending_changes;  // likewise, flushes included
    bool reads_next = true;     // the two take turns, so that neither starves the other
    IndexList resend;           // exchanges to be sent again
    std::uint32_t waiting = 0;  // requests that were not started
    bool listed = false;        // on busy_

    [[nodiscard]] IndexList& sending(FrameOp op) {
      return op == FrameOp::read ? sending_reads : sending_changes;
    }

    [[nodiscard]] bool is_idle() const {
      return sending_reads.empty() && sending_changes.empty() && resend.empty();
    }
  };

  // A part of the sectors of an exchange.
  struct Cut {
    std::uint64_t skip = 0;
    std::uint64_t sectors = 0;
  };

  [[nodiscard]] Device& device(DeviceId id) { return *context_.devices[id.value]; }

  [[nodiscard]] Queues& queues(DeviceId id) { return queues_[id.value]; }

  [[nodiscard]] std::optional<SubmitError> check(const Device& device, const IoRequest& io) const;
  [[nodiscard]] std::optional<std::uint32_t> new_exchange(Instant now);
  void set_deadline(Instant now, std::uint32_t id);
  [[nodiscard]] bool try_start(std::uint32_t id);
  void send(std::uint32_t id);
  void start_waiting(DeviceId id);
  void make_busy(DeviceId id);

  [[nodiscard]] bool device_frame(Instant now, DeviceId id, TxFrame& out);
  enum class Resend : std::uint8_t {
    sent,
    must_wait,       // for a path, or for tags
    only_sequences,  // everything there is waits for sequences: reads may go on
  };

  [[nodiscard]] Resend resend_frame(Instant now, DeviceId id, TxFrame& out);
  [[nodiscard]] bool fresh_frame(Instant now, DeviceId id, TxFrame& out);
  [[nodiscard]] bool fresh_frame_of(Instant now, DeviceId id, IndexList& sending, TxFrame& out);
  void fill_exchange(std::uint32_t slot, const FrameFill& fill);
  // Sectors of the front of an exchange that a path of this payload carries in one frame.
  [[nodiscard]] std::uint64_t fitting_sectors(const Exchange& exchange,
                                              std::uint32_t payload_sectors);
  // Ends an exchange and asks for what is named of it under new tags, next. False when there are
  // not enough of them now; then nothing changed.
  [[nodiscard]] bool replace(Instant now, std::uint32_t slot, std::span<const Cut> with);
  // Cuts an exchange in two.
  [[nodiscard]] bool cut(Instant now, std::uint32_t slot, std::uint64_t at_sectors);
  // Takes a request out of every exchange it has a part in. False: as replace(), try again later.
  [[nodiscard]] bool leave_exchanges(Instant now, std::uint32_t id);
  void leave_flush(std::uint32_t slot, std::uint32_t id);
  void transmit(Instant now, std::uint32_t slot, std::uint32_t path, TxFrame& out);
  void arm_timer(std::uint32_t slot);

  [[nodiscard]] Piece piece_of(const Exchange& exchange) const;
  void gather(const Exchange& exchange, ByteSpan data) const;
  void scatter(const Exchange& exchange, ConstByteSpan data);
  void leave_flight(Exchange& exchange);
  void queue_resend(std::uint32_t slot);
  void note_path_answer(Instant now, Exchange& exchange, std::uint32_t path);
  // Puts the exchange under the session of the path, or none. False when the session has no
  // sequence free for it.
  [[nodiscard]] bool has_sequence_for(FrameOp op, DeviceId id, const Path& path);
  [[nodiscard]] bool enter_session(Exchange& exchange, const Path& path);
  void leave_session(Exchange& exchange);
  // The answer without its seal; nothing when it is not what is due.
  [[nodiscard]] std::optional<ConstByteSpan> opened_answer(Instant now, const Exchange& exchange,
                                                           std::uint32_t path, ConstByteSpan frame);

  enum class Ending : std::uint8_t { answered, given_up };
  void end_exchange(std::uint32_t slot, Ending ending);
  void raise_fence(const Exchange& exchange, Ending ending);
  [[nodiscard]] SectorRange changed_range(const Exchange& exchange) const;
  // How long copies of it may exist, as both ends believe.
  [[nodiscard]] Duration frame_life(const Exchange& exchange);
  void end_requests(Instant now, DeviceId id, IoStatus status);
  template <class Doomed>
  void end_where(Instant now, DeviceId id, IoStatus status, Doomed is_doomed);
  void on_aoe_error(Instant now, std::uint32_t slot, std::uint32_t path, std::uint8_t error);
  void on_ata_error(Instant now, std::uint32_t slot, std::uint32_t path,
                    const protocol::AtaArgument& reply);
  void on_final_error(Instant now, std::uint32_t slot, const IoCompletion& how);
  // Whether a refusal may be for the size of the frame: then it is asked again later.
  [[nodiscard]] bool doubts_size(Instant now, std::uint32_t slot, std::uint32_t path);
  void ask_apart(Instant now, std::uint32_t slot);
  void ask_later(Instant now, std::uint32_t slot);
  void fail_request(Instant now, std::uint32_t owner, const IoCompletion& how);
  void stop_sending(std::uint32_t id);
  void finish_if_done(Instant now, std::uint32_t id);
  void end_request(Instant now, std::uint32_t id);
  // False when tags are missing for the other requests in its frames: try again later.
  [[nodiscard]] bool end_now(Instant now, std::uint32_t id, IoStatus status);

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
