// Carries requests out: admission, pieces, transmission, retransmission, completion.
#pragma once

#include "initiator/core_context.h"
#include "initiator/deadline_heap.h"
#include "initiator/flow_control.h"
#include "initiator/index_list.h"
#include "initiator/io_request.h"
#include "initiator/request_merger.h"
#include "initiator/request_table.h"
#include "initiator/retransmission_log.h"
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
//                                            |  piece lost -> resend list -> sent again
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
  void on_late_answer(Instant now, DeviceId id, Tag tag, std::uint32_t path);

  // The timer of exchange `slot` ran out: a flush or trim, or a frame whose retransmission had to
  // wait.
  void on_expiry(std::uint32_t slot);

  // A path that lost frames and was not heard of since, or whose device is silent: it should be
  // asked whether it is there. Each once; to be called until there is none.
  [[nodiscard]] std::optional<DevicePath> next_doubtful_path();

  // The path carries nothing now: what is in flight on it is sent over another one, or waits.
  void on_path_lost(DeviceId id, std::uint32_t path);

  // The path answers again: what waits for a long timer is sent again now.
  void on_path_back(DeviceId id, std::uint32_t path);

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

  // What the device may send, or over which path, has changed.
  void on_change(DeviceId id) { wake(id); }

  // Deadlines of requests and fences.
  void on_time(Instant now);
  [[nodiscard]] std::optional<Instant> next_time() const;

  // Builds the next frame of any device into `out`; false when nothing may be sent now. The devices
  // take turns, a frame each.
  [[nodiscard]] bool next_frame(Instant now, TxFrame& out);

  [[nodiscard]] std::size_t poll_completions(std::span<IoCompletion> out);

  // Ends everything of the device with `cancelled`.
  void cancel(Instant now, DeviceId id);

  [[nodiscard]] const WriteFence& fence() const { return fence_; }

  // Places that are in use: of requests, and of frames that wait for an answer or for their turn.
  [[nodiscard]] std::uint32_t requests() const { return requests_.in_use(); }

  [[nodiscard]] std::uint32_t frames() const { return frames_; }

 private:
  // How soon to look again when every tag rests.
  static constexpr Duration kTagRetry = Duration::milliseconds(10);

  struct Queues {
    IndexList order;            // requests that have not ended, as submitted
    std::uint32_t changes = 0;  // those of them that change data
    IndexList sending_reads;    // those of them with something to send
    IndexList sending_changes;  // likewise, flushes included
    bool reads_next = true;     // the two take turns, so that neither starves the other
    IndexList resend;           // exchanges to be sent again
    std::uint32_t waiting = 0;  // requests that were not started
    // On which list: of devices that may send, that wait for a tag or a place for their frame, or
    // for their shelf; or on none, with nothing to send or until an event of its own.
    enum class Place : std::uint8_t { none, busy, starved, shelf };
    Place place = Place::none;

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
  // Whether something before it must end first.
  [[nodiscard]] bool must_wait(std::uint32_t id);
  // Whether copies of an earlier write may still arrive where it writes.
  [[nodiscard]] bool is_fenced(std::uint32_t id);
  [[nodiscard]] bool try_start(std::uint32_t id);
  void send(std::uint32_t id);
  void start_waiting(DeviceId id);

  // The device may be able to send.
  void wake(DeviceId id);
  void move_to(DeviceId id, Queues::Place place);
  [[nodiscard]] IndexList& list(DeviceId id, Queues::Place place);
  // The first one that still has something to send; those before it leave the list.
  void wake_front(const IndexList& waiters);
  void wake_waiter(const ShelfState& shelf);
  void wake_starved();

  enum class Turn : std::uint8_t {
    sent,
    nothing,  // to send, or no room until an event of the device
    pausing,  // its timer wakes it
    starved,  // no tag, or too many frames in flight
    shelf_full,
  };

  [[nodiscard]] Turn device_frame(Instant now, DeviceId id, TxFrame& out);
  // Nothing: everything that is to be sent again waits for sequences. Reads may go on.
  [[nodiscard]] std::optional<Turn> resend_frame(Instant now, DeviceId id, TxFrame& out);
  [[nodiscard]] Turn fresh_frame(Instant now, DeviceId id, TxFrame& out);
  [[nodiscard]] Turn fresh_frame_of(Instant now, DeviceId id, IndexList& sending, TxFrame& out);
  // What to do when flow control says no.
  [[nodiscard]] Turn turned_down(DeviceId id, const FlowControl::Permission& permission);
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
  void arm_slow_timer(std::uint32_t slot);

  [[nodiscard]] Piece piece_of(const Exchange& exchange) const;
  // Of a request that is about to be given up: the first of its frames that was sent, if any.
  [[nodiscard]] std::optional<FrameNote> note_of_sent_frame(Instant now, std::uint32_t id) const;
  void gather(const Exchange& exchange, ByteSpan data) const;
  void scatter(const Exchange& exchange, ConstByteSpan data);
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
  void leave_flight(std::uint32_t slot);
  void queue_resend(std::uint32_t slot);
  void note_path_answer(Instant now, std::uint32_t slot, std::uint32_t path);
  // Of a frame that was taken for lost, an answer came.
  void note_copies(Instant now, const Exchange& exchange, std::uint32_t path);

  // Gives up what was overtaken, and sees to the timer of the device's flight.
  void examine(Instant now, DeviceId id);
  void arm_flight_timer(Instant now, DeviceId id);
  [[nodiscard]] Flight::Judgement judge_oldest(Instant now, DeviceId id);
  void on_silence(Instant now, DeviceId id);
  // Takes a frame of data for lost.
  void lose(Instant now, std::uint32_t slot);
  void lose_and_repeat(Instant now, std::uint32_t slot);
  // Repeats it too, but not at once if it was lost before.
  void lose_overtaken(Instant now, std::uint32_t slot);
  void doubt(const DevicePath& at);
  // A frame that went over the path was taken for lost and was not: it was answered at that age.
  void on_false_alarm(Device& owner, std::uint32_t path, Duration age);
  [[nodiscard]] bool take_answer(Instant now, std::uint32_t slot, std::uint32_t path,
                                 const protocol::FrameHeader& header, ConstByteSpan frame);
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
  FlowControl flow_;
  RetransmissionLog log_;
  DeadlineHeap flight_timers_;  // by DeviceId: when to look at the oldest frame in flight
  DeadlineHeap pauses_;         // by DeviceId: ends of pauses
  std::vector<Queues> queues_;  // by DeviceId
  IndexLinks place_links_;      // of devices: each is on one list at most
  IndexList busy_;              // devices that may send
  IndexList starved_;
  IndexLinks doubt_links_;  // of paths: device * paths_max + path
  IndexList doubtful_;
  std::uint32_t frames_ = 0;  // exchanges of kind io
  Instant tags_retry_;        // zero: tags are free
};

}  // namespace aoe::initiator
