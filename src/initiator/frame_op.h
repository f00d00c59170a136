// What one frame does, and how that is said in ATA.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "initiator/io_request.h"
#include "protocol/aoe_ata.h"
#include "protocol/ata_identify.h"

#include <cstdint>

namespace aoe::initiator {

enum class FrameOp : std::uint8_t { read, write, write_fua, write_zeroes, trim, flush };

// How a request is carried out on this disk. Write zeroes becomes a trim where the disk promises
// that trimmed sectors read as zeros (IDENTIFY word 69, bits 14 and 5), else writes. A durable
// write is one with FUA where the disk has a volatile cache and the command.
[[nodiscard]] FrameOp frame_op(const IoRequest& io, const protocol::IdentifyModel& disk);

// Whether a durable request needs a flush of its own at the end.
[[nodiscard]] bool needs_flush(const IoRequest& io, const protocol::IdentifyModel& disk);

// Whether the frame or its answer carries the sectors' data, so that its size depends on the path.
[[nodiscard]] bool moves_data(FrameOp op);
// Whether the user's data are in the request.
[[nodiscard]] bool carries_user_data(FrameOp op);
// Whether a late copy of the frame could undo a newer write.
[[nodiscard]] bool changes_data(FrameOp op);

// Trim frames list ranges of at most 65535 sectors, 64 in each block of 512 bytes.
inline constexpr std::uint64_t kTrimRangeSectorsMax = 0xFFFF;
inline constexpr std::uint32_t kTrimRangesPerBlock = 64;

[[nodiscard]] constexpr std::uint64_t trim_ranges(std::uint64_t sectors) {
  return (sectors + kTrimRangeSectorsMax - 1) / kTrimRangeSectorsMax;
}

// Ranges that one frame may list on this disk over a path that carries `payload_sectors`.
[[nodiscard]] std::uint64_t trim_ranges_max(const protocol::IdentifyModel& disk,
                                            std::uint32_t payload_sectors);

struct Piece {
  FrameOp op = FrameOp::read;
  Lba lba{};
  std::uint64_t sectors = 0;
  std::uint64_t ranges = 0;  // of a trim
};

// Data that the request frame carries, in bytes: a multiple of 512.
[[nodiscard]] std::size_t data_bytes(const Piece& piece);

// Sectors of data in the larger of the frame and its answer: what the path must carry.
[[nodiscard]] std::uint32_t carried_sectors(const Piece& piece);

// Writes the argument (bytes 24..35 of `frame`), and zeros where write zeroes has its data. User
// data and ranges are the caller's. 48-bit commands where the disk has them (ATA8-ACS 4.2),
// otherwise 28-bit ones.
void build_piece(ByteSpan frame, const Piece& piece, const protocol::IdentifyModel& disk);

}  // namespace aoe::initiator
