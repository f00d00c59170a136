// Cuts a request into pieces of one frame each, and says each piece in ATA.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "initiator/io_request.h"
#include "protocol/aoe_ata.h"
#include "protocol/ata_identify.h"

#include <cstdint>

namespace aoe::initiator {

// What one frame does.
enum class FrameOp : std::uint8_t { read, write, write_zeroes, trim, flush };

// How a request is carried out on this disk: write zeroes becomes a trim where the disk promises
// that trimmed sectors read as zeros, else writes.
[[nodiscard]] FrameOp frame_op(IoOp op, const protocol::IdentifyModel& disk);

// Whether the frame carries the sectors' data, so that its size depends on the path.
[[nodiscard]] bool moves_data(FrameOp op);
// Whether a late copy of the frame could undo a newer write.
[[nodiscard]] bool changes_data(FrameOp op);

// The most sectors one frame does, on a path that carries `payload_sectors` (1..255).
[[nodiscard]] std::uint64_t piece_sectors_max(FrameOp op, std::uint32_t payload_sectors);

struct Piece {
  FrameOp op = FrameOp::read;
  Lba lba{};
  std::uint64_t sectors = 0;
  ConstByteSpan write_from{};  // the piece's part of the user's data; empty unless FrameOp::write
};

// Bytes of the whole frame, without padding.
[[nodiscard]] std::size_t frame_bytes(const Piece& piece);

// Writes everything behind the AoE header (byte 24) of `frame`, which has frame_bytes(piece).
// 48-bit commands where the disk has them (ATA8-ACS 4.2), otherwise 28-bit ones.
void build_piece(ByteSpan frame, const Piece& piece, const protocol::IdentifyModel& disk);

}  // namespace aoe::initiator
