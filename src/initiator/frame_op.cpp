#include "initiator/frame_op.h"

#include "protocol/ata_command.h"
#include "protocol/ata_trim.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

using protocol::AtaArgument;
using protocol::AtaOp;
using protocol::kAtaFlagExtended;
using protocol::kAtaFlagWrite;
using protocol::kAtaHeaderBytes;

static_assert(kTrimRangeSectorsMax == protocol::kTrimEntrySectorsMax);
static_assert(kTrimRangesPerBlock == protocol::kTrimEntriesPerBlock);

std::uint8_t opcode(FrameOp op, bool extended) {
  switch (op) {
    case FrameOp::read:
      return static_cast<std::uint8_t>(extended ? AtaOp::read_ext : AtaOp::read);
    case FrameOp::write:
    case FrameOp::write_zeroes:
      return static_cast<std::uint8_t>(extended ? AtaOp::write_ext : AtaOp::write);
    case FrameOp::write_fua:
      return static_cast<std::uint8_t>(AtaOp::write_dma_fua_ext);
    case FrameOp::trim:
      return static_cast<std::uint8_t>(AtaOp::data_set_management);
    case FrameOp::flush:
      // Both forms flush everything and every disk has this one (ATA8-ACS 7.24); vblade aborts the
      // other (tests/interop/session_vblade_test.cpp).
      return static_cast<std::uint8_t>(AtaOp::flush);
  }
  return 0;
}

}  // namespace

FrameOp frame_op(const IoRequest& io, const protocol::IdentifyModel& disk) {
  switch (io.op) {
    case IoOp::read:
      return FrameOp::read;
    case IoOp::write:
      // The FUA form has 48-bit addresses only (ATA8-ACS 7.65).
      return io.durable && disk.write_cache_enabled && disk.has_fua && disk.has_lba48
                 ? FrameOp::write_fua
                 : FrameOp::write;
    case IoOp::trim:
      return FrameOp::trim;
    case IoOp::write_zeroes:
      return disk.has_trim && disk.trim_reads_zero ? FrameOp::trim : FrameOp::write_zeroes;
    case IoOp::flush:
      break;
  }
  return FrameOp::flush;
}

bool needs_flush(const IoRequest& io, const protocol::IdentifyModel& disk) {
  return io.durable && disk.write_cache_enabled && changes_data(frame_op(io, disk)) &&
         frame_op(io, disk) != FrameOp::write_fua;
}

bool moves_data(FrameOp op) {
  return op != FrameOp::trim && op != FrameOp::flush;
}

bool carries_user_data(FrameOp op) {
  return op == FrameOp::write || op == FrameOp::write_fua;
}

bool changes_data(FrameOp op) {
  return op != FrameOp::read && op != FrameOp::flush;
}

std::uint64_t trim_ranges_max(const protocol::IdentifyModel& disk, std::uint32_t payload_sectors) {
  // Word 105 may be left out; one block is what every disk takes.
  const std::uint32_t blocks =
      std::min<std::uint32_t>({std::max<std::uint32_t>(disk.trim_blocks_max, 1),
                               std::max<std::uint32_t>(payload_sectors, 1), 0xFF});
  return std::uint64_t{blocks} * kTrimRangesPerBlock;
}

std::size_t data_bytes(const Piece& piece) {
  switch (piece.op) {
    case FrameOp::write:
    case FrameOp::write_fua:
    case FrameOp::write_zeroes:
      return piece.sectors * kSectorBytes;
    case FrameOp::trim:
      return protocol::trim_blocks(piece.ranges) * kSectorBytes;
    case FrameOp::read:
    case FrameOp::flush:
      break;
  }
  return 0;
}

std::uint32_t carried_sectors(const Piece& piece) {
  return piece.op == FrameOp::read ? static_cast<std::uint32_t>(piece.sectors)
                                   : static_cast<std::uint32_t>(data_bytes(piece) / kSectorBytes);
}

void build_piece(ByteSpan frame, const Piece& piece, const protocol::IdentifyModel& disk) {
  const bool extended = piece.op == FrameOp::trim || piece.op == FrameOp::write_fua ||
                        (disk.has_lba48 && piece.op != FrameOp::flush);
  AtaArgument ata;
  ata.flags = extended ? kAtaFlagExtended : std::uint8_t{0};
  ata.command_status = opcode(piece.op, extended);
  const std::size_t bytes = data_bytes(piece);
  if (bytes > 0) {
    ata.flags = static_cast<std::uint8_t>(ata.flags | kAtaFlagWrite);
  }
  if (piece.op == FrameOp::trim) {
    ata.feature_error = protocol::kDataSetManagementTrim;
    ata.sector_count = static_cast<std::uint8_t>(bytes / kSectorBytes);
  } else if (piece.op != FrameOp::flush) {
    ata.sector_count = static_cast<std::uint8_t>(piece.sectors);
    if (extended) {
      ata.set_lba48(piece.lba);
    } else {
      ata.set_lba28(piece.lba);
    }
  }
  if (piece.op == FrameOp::write_zeroes) {
    fill_zero(frame.subspan(kAtaHeaderBytes, bytes));
  }
  protocol::build_ata(frame, ata);
}

}  // namespace aoe::initiator
