// Which requests the next fresh frame serves.
#pragma once

#include "initiator/index_list.h"
#include "initiator/request_table.h"

#include <array>
#include <cstdint>

namespace aoe::initiator {

// Requests that wait at the same time and continue each other on the disk share frames, reads and
// writes alike: their data go from and to the memory of each, and each completes by itself. (The
// Linux driver sends at least one frame a request.) Trims share frames wherever their ranges lie,
// and flushes that wait together are one.
//
// How far down the list of waiting requests is looked for one that continues the run.
inline constexpr std::uint32_t kMergeLookahead = 32;
inline constexpr std::uint32_t kMergedRequestsMax = 64;

struct FrameRoom {
  std::uint32_t payload_sectors = 0;  // 1..
  std::uint32_t align_sectors = 1;
  std::uint64_t trim_ranges = 64;  // 1..
};

struct FrameFill {
  std::array<std::uint32_t, kMergedRequestsMax> requests{};  // in the order of the frame
  std::uint32_t request_count = 0;                           // 1.. of them take part
  std::uint64_t sectors = 0;  // from where the first one goes on; 0 for a flush
};

// `sending` holds requests in the order of submission, each with more to send, the first of which
// the frame must serve.
[[nodiscard]] FrameFill plan_frame(RequestTable& requests, const IndexList& sending,
                                   const FrameRoom& room);

}  // namespace aoe::initiator
