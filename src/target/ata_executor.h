// Runs ATA commands: admission, order, store operations, replies.
#pragma once

#include "base/fixed_array.h"
#include "base/fixed_stack.h"
#include "base/ring_queue.h"
#include "protocol/aoe_ata.h"
#include "target/ata_plan.h"
#include "target/core_parts.h"
#include "target/late_write_filter.h"
#include "target/range_table.h"
#include "target/responder.h"
#include "target/self_test.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace aoe::target {

// How many sectors one request may carry on a port, as config replies state it: what fits an
// interface of this MTU by the conservative reckoning, in whole 4 KiB blocks where there is room
// for one (17 sectors at MTU 9000 would split every page of an initiator).
[[nodiscard]] std::uint8_t advertised_sectors(std::size_t mtu_bytes);

// Requests one export may have in flight, given what it advertises: more than that, because several
// initiators may each use all of it. What its store must be able to take at once.
[[nodiscard]] std::uint32_t requests_per_export_max(std::uint32_t buffer_count);

class AtaExecutor {
 public:
  AtaExecutor(CoreParts& parts, Responder& responder, LateWriteFilter& late_writes);

  // Executes or answers the ATA command in `frame`, or drops it for want of room. Takes the frame:
  // its data is written to the store from where it lies.
  void handle_command(Arrival& arrival, PacketBuffer&& frame, Export& subject);

  // A copy of the request that runs in `slot` arrived: the answer goes where that came from.
  void answer_to(std::uint16_t slot, const Requester& copy);

  // The data of a write whose operation was handed out by poll_store_ops and is not under way yet,
  // moved out of the frame that brought it: a store that takes its time would keep the slot of the
  // receive ring, and with it, in the end, the whole ring. Stays where it is without a free buffer.
  [[nodiscard]] ByteSpan keep_data(StoreTag tag);

  // A store operation has ended: that of a running request of the export that is returned. nullptr,
  // and nothing happens, for a stale tag.
  Export* handle_store_done(Instant now, const StoreCompletion& done);

  // Plain requests that are in flight now end without an answer: whoever sent them has sent them
  // again (TargetCore::handle_standstill).
  void forget_plain_requesters();

  // Looks for store operations that take too long.
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

  [[nodiscard]] std::size_t poll_store_ops(std::span<ExportStoreOp> out) {
    return ops_.pop_to(out);
  }

  [[nodiscard]] SelfTests& self_tests() { return self_tests_; }

  // Marks what is being written on the export now; writes_before_barrier() falls to zero when all
  // of that has finished. A change of the reservation is answered only then: whoever learns that it
  // holds the disk knows that nobody else's write is still under way.
  void raise_barrier(ExportId export_id);
  [[nodiscard]] std::uint32_t writes_before_barrier(ExportId export_id) const;

  [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }

 private:
  static constexpr Duration kScanPeriod = Duration::seconds(1);

  struct Request {
    std::uint16_t slot = 0;  // its place in requests_
    bool in_use = false;
    bool is_executing = false;
    bool is_barrier = false;
    bool is_self_test = false;   // nobody is answered
    bool is_forgotten = false;   // likewise: the answer would come too late
    bool is_flushing = false;    // the flush behind a trim
    bool is_frame_kept = false;  // `frame` is a copy of our own
    bool has_turn = false;       // the service queue has it
    bool holds_range = false;    // or waits for it
    std::uint16_t generation = 0;
    std::uint16_t initiator = InitiatorTable::kNone;
    Export* subject = nullptr;  // stays in place while requests are in flight
    MacAddress source;          // whose right to write counts: of the first copy
    Requester from;             // whom to answer: the newest copy
    AtaPlan plan;
    std::uint32_t progress = 0;      // sectors verified, or index of the next trim entry
    std::uint64_t disk_sectors = 0;  // size of the disk when the range was checked last
    Instant started;                 // of the store operation that runs now
    PacketBuffer frame;
    PacketBuffer reply;
  };

  // The running request that the tag names; nullptr for a stale tag.
  [[nodiscard]] Request* running(StoreTag tag);
  [[nodiscard]] AtaContext context_of(const Export& subject, const Arrival& arrival) const;
  [[nodiscard]] bool admit(const Arrival& arrival, Export& subject);
  // A request of the export in flight, in a slot that was free; whom it is from and what it does
  // are for the caller to say.
  [[nodiscard]] Request& take_slot(Export& subject, std::uint16_t initiator);
  void start_self_test_reads(Instant now);
  void start_self_test_read(Instant now, const SelfTests::Read& read);
  // Locks its range and takes its turn, now or when those are done that it waits for.
  void enter(Instant now, Request& request);
  [[nodiscard]] static ServiceQueue::Owner owner_of(Export& subject, const MacAddress& initiator);
  // Executes the request, now or when it is served.
  void take_turn(Instant now, Request& request);
  void serve_waiting(Instant now);
  void end_self_test_read(Instant now, Request& request, const AtaPlan& plan);
  void scan_for_stalls(Instant now);
  void answer_at_once(const Arrival& arrival, const protocol::AtaFrame& ata, Export& subject,
                      const AtaPlan& plan);
  void start_request(const Arrival& arrival, PacketBuffer&& frame, Export& subject,
                     const AtaPlan& plan);
  [[nodiscard]] std::optional<SectorRange> locked_range(const Request& request) const;
  void execute(Instant now, Request& request);
  // Whether everything the request names still lies on the disk, which may have shrunk.
  [[nodiscard]] static bool fits_disk(const Request& request);
  void refuse_range(Instant now, Request& request);
  void keep_frame(Request& request);
  // Whether a store operation of the same export, other than that of `ended`, takes too long.
  [[nodiscard]] bool has_overdue(Instant now, const Request& ended) const;
  // Emits the request's next store operation; false when there is nothing left to do.
  [[nodiscard]] bool emit_next(Request& request);
  [[nodiscard]] bool emit_next_trim(Request& request);
  void emit(const Request& request, ExportStoreOp& next);
  void complete(Instant now, Request& request, const StoreCompletion& done);
  void finish(Instant now, Request& request, const AtaPlan& plan);
  void finish_with_error(Instant now, Request& request, protocol::AoeError error);
  void release_forgotten(Instant now, Request& request);
  void refuse(const Arrival& arrival, Export& subject, protocol::AoeError error);
  void release(Instant now, Request& request);
  void send_registers(const Requester& to, PacketBuffer&& reply, const Export& subject,
                      const AtaPlan& plan, std::size_t data_bytes);
  void fill_identify(Export& subject, PortId port, ByteSpan sector) const;
  [[nodiscard]] bool fill_smart(Instant now, Export& subject, AtaPlan& plan, ByteSpan sector);
  [[nodiscard]] bool start_offline(Instant now, Export& subject, std::uint8_t what);
  void note_store_error(Instant now, Request& request, const StoreCompletion& done);

  CoreParts& parts_;
  Responder& responder_;
  LateWriteFilter& late_writes_;
  SelfTests self_tests_;
  RangeTable ranges_;
  ServiceQueue service_;
  FixedArray<Request> requests_;
  FixedStack<std::uint16_t> free_;
  std::vector<std::uint16_t> runnable_;
  RingQueue<ExportStoreOp> ops_;
  std::vector<std::byte> verify_scratch_;  // READ VERIFY reads into it and nobody looks
  std::uint32_t in_flight_ = 0;
  Instant next_scan_;  // for requests that hang, while any are in flight
};

// What the export has lived through, as SMART and the state file tell it.
[[nodiscard]] LifeCounters life_counters(const Export& subject, Instant now);

// Whether the reservation keeps `source` out.
[[nodiscard]] bool is_reserved_against(const Export& subject, const MacAddress& source);

}  // namespace aoe::target
