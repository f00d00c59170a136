// The requests between submit() and the poll of their completions.
#pragma once

#include "base/fixed_array.h"
#include "initiator/cache_watch.h"
#include "initiator/deadline_heap.h"
#include "initiator/exchange_table.h"
#include "initiator/frame_op.h"
#include "initiator/index_list.h"
#include "initiator/io_request.h"
#include "initiator/write_fence.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace aoe::initiator {

enum class RequestState : std::uint8_t {
  waiting,  // something before it must end first
  sending,  // pieces are left to send
  sent,     // every piece was sent at least once, or it failed and sends no more
};

struct Request {
  DeviceId device{};
  IoRequest io{};
  FrameOp op = FrameOp::read;
  Instant submitted{};
  std::uint64_t sent_sectors = 0;  // of which a frame exists or existed
  std::uint64_t answered_sectors = 0;
  bool flush_sent = false;
  bool flush_after = false;         // what it changed is flushed before it completes
  CacheWatch::Mark flush_start{};   // when its flush was first sent
  std::uint32_t joined = kNoIndex;  // the request that goes on in the frame this one ends in
  std::uint32_t exchanges = 0;      // without final answer
  RequestState state = RequestState::waiting;
  IoCompletion completion{};

  [[nodiscard]] SectorRange range() const { return {io.lba, io.sectors}; }

  [[nodiscard]] bool has_failed() const { return completion.status != IoStatus::ok; }

  // Whether another piece is to be cut.
  [[nodiscard]] bool has_more() const {
    return op == FrameOp::flush ? !flush_sent : sent_sectors < io.sectors;
  }
};

// The share that one request has in the frame of an exchange.
struct FramePart {
  std::uint32_t request = 0;
  std::uint64_t offset_sectors = 0;  // in the request
  std::uint64_t sectors = 0;         // 0 for a flush
  std::uint64_t before_sectors = 0;  // of the frame, in front of it
};

// Slots, the deadline of each, and the order of each device.
//
// A request starts when nothing submitted before it stands in its way: overlapping requests of
// which one changes data keep their order, and a flush waits for every change submitted before it.
// (A target need not flush more than what it had acknowledged; waiting makes `write, write, flush`
// mean what it says without waiting in between.)
class RequestTable {
 public:
  explicit RequestTable(std::uint32_t requests_max);

  // Nullopt when every slot is taken.
  [[nodiscard]] std::optional<std::uint32_t> acquire();
  // After the completion was polled.
  void release(std::uint32_t id);

  [[nodiscard]] Request& at(std::uint32_t id) { return requests_[id]; }

  [[nodiscard]] const Request& at(std::uint32_t id) const { return requests_[id]; }

  [[nodiscard]] std::uint32_t in_use() const { return in_use_; }

  [[nodiscard]] std::uint32_t capacity() const {
    return static_cast<std::uint32_t>(requests_.size());
  }

  [[nodiscard]] DeadlineHeap& deadlines() { return deadlines_; }

  [[nodiscard]] const DeadlineHeap& deadlines() const { return deadlines_; }

  // For the lists "in order of submission" and "sending"; a request may be on both.
  [[nodiscard]] IndexLinks& order_links() { return order_links_; }

  [[nodiscard]] IndexLinks& sending_links() { return sending_links_; }

  // Calls visit(const FramePart&) for every request that the exchange serves, in the order of the
  // frame. `visit` may end requests, not release them.
  template <class Visit>
  void for_each_part(const Exchange& exchange, Visit visit) const {
    FramePart part{.request = exchange.owner, .offset_sectors = exchange.offset_sectors};
    std::uint64_t left = exchange.sectors;
    do {
      const Request& request = requests_[part.request];
      const std::uint32_t next = request.joined;
      // A flush has no sectors: its chain ends where it ends.
      part.sectors = std::min(left, request.io.sectors - part.offset_sectors);
      left -= part.sectors;
      const bool more = exchange.op == FrameOp::flush ? next != kNoIndex : left > 0;
      visit(std::as_const(part));
      part = {.request = more ? next : kNoIndex,
              .before_sectors = part.before_sectors + part.sectors};
    } while (part.request != kNoIndex);
  }

  [[nodiscard]] bool is_shared(const Exchange& exchange) const;
  [[nodiscard]] std::optional<FramePart> find_part(const Exchange& exchange,
                                                   std::uint32_t id) const;

  // Whether something before `id` on `order` must end first.
  [[nodiscard]] bool must_wait(const IndexList& order, std::uint32_t id) const;

  // Ended requests, oldest first; their slots stay taken until released.
  void complete(std::uint32_t id) { completed_.push_back(order_links_, id); }

  [[nodiscard]] std::optional<std::uint32_t> pop_completed();

 private:
  FixedArray<Request> requests_;
  DeadlineHeap deadlines_;
  IndexLinks order_links_;
  IndexLinks sending_links_;
  IndexLinks free_links_;
  IndexList free_;
  IndexList completed_;
  std::uint32_t in_use_ = 0;
};

}  // namespace aoe::initiator
