#include "initiator/request_table.h"

namespace aoe::initiator {

RequestTable::RequestTable(std::uint32_t requests_max)
    : requests_(requests_max),
      deadlines_(requests_max),
      order_links_(requests_max),
      sending_links_(requests_max),
      free_links_(requests_max) {
  for (std::uint32_t id = 0; id < requests_max; ++id) {
    free_.push_back(free_links_, id);
  }
}

std::optional<std::uint32_t> RequestTable::acquire() {
  if (free_.empty()) {
    return std::nullopt;
  }
  const std::uint32_t id = free_.pop_front(free_links_);
  requests_[id] = {};
  ++in_use_;
  return id;
}

void RequestTable::release(std::uint32_t id) {
  // Next to be used, while it is in the processor's cache.
  free_.push_front(free_links_, id);
  --in_use_;
}

bool RequestTable::is_shared(const Exchange& exchange) const {
  std::uint32_t parts = 0;
  for_each_part(exchange, [&parts](const FramePart& /*part*/) { ++parts; });
  return parts > 1;
}

std::optional<FramePart> RequestTable::find_part(const Exchange& exchange, std::uint32_t id) const {
  std::optional<FramePart> found;
  for_each_part(exchange, [&](const FramePart& part) {
    if (part.request == id) {
      found = part;
    }
  });
  return found;
}

bool RequestTable::must_wait(const IndexList& order, std::uint32_t id) const {
  const Request& request = requests_[id];
  const bool changes = changes_data(request.op);
  for (std::uint32_t other = order.front(); other != id;
       other = IndexList::next(order_links_, other)) {
    const Request& earlier = requests_[other];
    const bool earlier_changes = changes_data(earlier.op);
    if (request.op == FrameOp::flush) {
      if (earlier_changes) {
        return true;
      }
    } else if ((changes || earlier_changes) && earlier.op != FrameOp::flush &&
               earlier.range().overlaps(request.range())) {
      return true;
    }
  }
  return false;
}

std::optional<std::uint32_t> RequestTable::pop_completed() {
  if (completed_.empty()) {
    return std::nullopt;
  }
  return completed_.pop_front(order_links_);
}

}  // namespace aoe::initiator
