#include "initiator/piece_planner.h"

namespace aoe::initiator {

std::uint64_t plan_piece(const PieceRoom& room) {
  const std::uint64_t payload = room.payload_sectors;
  if (room.remaining <= payload) {
    return room.remaining;
  }
  const std::uint64_t border_mask = room.align_sectors - 1;
  if (room.align_sectors > 1 && payload >= room.align_sectors) {
    if (room.whole_requests > 0 && ((room.lba.value + room.whole_requests) & border_mask) == 0) {
      return room.whole_requests;
    }
    const std::uint64_t end = (room.lba.value + payload) & ~border_mask;
    return end - room.lba.value;
  }
  const std::uint64_t frames = (room.remaining + payload - 1) / payload;
  const bool costs_a_frame = room.remaining - room.whole_requests > (frames - 1) * payload;
  if (room.whole_requests > 0 && !costs_a_frame) {
    return room.whole_requests;
  }
  return (room.remaining + frames - 1) / frames;
}

}  // namespace aoe::initiator
