#include "initiator/request_merger.h"

#include "initiator/piece_planner.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

std::uint64_t sectors_left(const Request& request) {
  return request.io.sectors - request.sent_sectors;
}

class Filler {
 public:
  Filler(RequestTable& requests, const IndexList& sending, const FrameRoom& room)
      : requests_(requests), first_(requests.at(sending.front())), room_(room) {
    add(sending.front());
  }

  [[nodiscard]] FrameFill run(const IndexList& sending) {
    std::uint32_t looks = kMergeLookahead;
    for (std::uint32_t id = IndexList::next(requests_.sending_links(), sending.front());
         id != kNoIndex && looks > 0 && !is_full();
         id = IndexList::next(requests_.sending_links(), id), --looks) {
      if (fits(requests_.at(id))) {
        add(id);
      }
    }
    finish();
    return fill_;
  }

 private:
  void add(std::uint32_t id) {
    const Request& request = requests_.at(id);
    fill_.requests.at(fill_.request_count++) = id;
    std::uint64_t left = sectors_left(request);
    if (request.op == FrameOp::trim) {
      left = std::min(left, (room_.trim_ranges - ranges_) * kTrimRangeSectorsMax);
      ranges_ += trim_ranges(left);
    }
    fill_.sectors += left;
    if (fill_.sectors <= room_.payload_sectors) {
      whole_requests_ = fill_.sectors;
    }
  }

  [[nodiscard]] bool is_full() const {
    if (fill_.request_count == kMergedRequestsMax) {
      return true;
    }
    switch (first_.op) {
      case FrameOp::flush:
        return false;
      case FrameOp::trim:
        return ranges_ >= room_.trim_ranges;
      default:
        // What two frames hold is enough to share a rest out evenly.
        return fill_.sectors >= std::uint64_t{2} * room_.payload_sectors;
    }
  }

  [[nodiscard]] bool fits(const Request& next) const {
    if (next.op != first_.op) {
      return false;
    }
    if (!moves_data(first_.op)) {
      return first_.op == FrameOp::flush || next.sent_sectors == 0;
    }
    return next.sent_sectors == 0 &&
           next.io.lba.value == first_.io.lba.value + first_.sent_sectors + fill_.sectors;
  }

  void finish() {
    if (!moves_data(first_.op)) {
      return;
    }
    fill_.sectors = plan_piece({.lba = Lba{first_.io.lba.value + first_.sent_sectors},
                                .remaining = fill_.sectors,
                                .payload_sectors = room_.payload_sectors,
                                .align_sectors = room_.align_sectors,
                                .whole_requests = whole_requests_});
    std::uint64_t reached = 0;
    std::uint32_t served = 0;
    while (reached < fill_.sectors) {
      reached += sectors_left(requests_.at(fill_.requests.at(served++)));
    }
    fill_.request_count = served;
  }

  RequestTable& requests_;
  const Request& first_;
  FrameRoom room_;
  FrameFill fill_;
  std::uint64_t ranges_ = 0;
  std::uint64_t whole_requests_ = 0;
};

}  // namespace

FrameFill plan_frame(RequestTable& requests, const IndexList& sending, const FrameRoom& room) {
  return Filler(requests, sending, room).run(sending);
}

}  // namespace aoe::initiator
