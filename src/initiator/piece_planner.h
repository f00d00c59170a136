// How many sectors the next frame of a run of sectors takes.
#pragma once

#include "base/ids.h"

#include <cstdint>

namespace aoe::initiator {

struct PieceRoom {
  Lba lba{};                          // where the run goes on
  std::uint64_t remaining = 0;        // sectors of it that are left, 1..
  std::uint32_t payload_sectors = 0;  // what a frame carries, 1..
  std::uint32_t align_sectors = 1;    // physical sector of the disk, a power of two
  // Where several requests make the run: sectors of those of the first ones that fit a frame whole.
  std::uint64_t whole_requests = 0;
};

// 1..payload_sectors. Never more frames than need be on a disk of 512-byte sectors, and then evenly
// long ones: 18 sectors over frames of 17 are two of 9, not 17 and a rest of 1. A frame ends with a
// request where that costs no further frame: a request in two frames waits for both.
//
// On a disk with larger physical sectors frames end on their borders where a frame holds one: a
// physical sector that is written in two halves makes the disk read it first, twice. (With 4 KiB
// sectors and 17 a frame, long requests take 6 % more frames for it; 64 or 128 KiB take none.)
[[nodiscard]] std::uint64_t plan_piece(const PieceRoom& room);

}  // namespace aoe::initiator
