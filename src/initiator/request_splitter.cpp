#include "initiator/request_splitter.h"

#include "protocol/ata_command.h"

#include <algorithm>

namespace aoe::initiator {
namespace {

using protocol::AtaArgument;
using protocol::AtaOp;
using protocol::kAtaFlagExtended;
using protocol::kAtaFlagWrite;
using protocol::kAtaHeaderBytes;

// DATA SET MANAGEMENT with the TRIM bit carries blocks of 64 ranges; a range is 6 bytes of LBA and
// a 16-bit count (ATA8-ACS-2 7.10). One block a frame fits every path.
constexpr std::size_t kTrimRangesPerBlock = kSectorBytes / 8;
constexpr std::uint64_t kTrimRangeSectorsMax = 0xFFFF;
constexpr std::uint8_t kTrimFeature = 0x01;

void build_trim_ranges(ByteSpan block, Lba lba, std::uint64_t sectors) {
  fill_zero(block);
  for (std::size_t i = 0; i < kTrimRangesPerBlock && sectors > 0; ++i) {
    const std::uint64_t count = std::min(sectors, kTrimRangeSectorsMax);
    store_le64(block, i * 8, lba.value | count << 48U);
    lba.value += count;
    sectors -= count;
  }
}

std::uint8_t opcode(FrameOp op, bool extended) {
  switch (op) {
    case FrameOp::read:
      return static_cast<std::uint8_t>(extended ? AtaOp::read_ext : AtaOp::read);
    case FrameOp::write:
    case FrameOp::write_zeroes:
      return static_cast<std::uint8_t>(extended ? AtaOp::write_ext : AtaOp::write);
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

FrameOp frame_op(IoOp op, const protocol::IdentifyModel& disk) {
  switch (op) {
    case IoOp::read:
      return FrameOp::read;
    case IoOp::write:
      return FrameOp::write;
    case IoOp::trim:
      return FrameOp::trim;
    case IoOp::write_zeroes:
      return disk.has_trim && disk.trim_reads_zero ? FrameOp::trim : FrameOp::write_zeroes;
    case IoOp::flush:
      break;
  }
  return FrameOp::flush;
}

bool moves_data(FrameOp op) {
  return op == FrameOp::read || op == FrameOp::write || op == FrameOp::write_zeroes;
}

bool changes_data(FrameOp op) {
  return op == FrameOp::write || op == FrameOp::write_zeroes || op == FrameOp::trim;
}

std::uint64_t piece_sectors_max(FrameOp op, std::uint32_t payload_sectors) {
  switch (op) {
    case FrameOp::trim:
      return kTrimRangesPerBlock * kTrimRangeSectorsMax;
    case FrameOp::flush:
      return 0;
    default:
      return payload_sectors;
  }
}

std::size_t frame_bytes(const Piece& piece) {
  switch (piece.op) {
    case FrameOp::write:
    case FrameOp::write_zeroes:
      return kAtaHeaderBytes + piece.sectors * kSectorBytes;
    case FrameOp::trim:
      return kAtaHeaderBytes + kSectorBytes;
    default:
      return kAtaHeaderBytes;
  }
}

void build_piece(ByteSpan frame, const Piece& piece, const protocol::IdentifyModel& disk) {
  const bool extended = piece.op == FrameOp::trim || (disk.has_lba48 && piece.op != FrameOp::flush);
  AtaArgument ata;
  ata.flags = extended ? kAtaFlagExtended : std::uint8_t{0};
  ata.command_status = opcode(piece.op, extended);
  const ByteSpan data = frame.subspan(kAtaHeaderBytes);
  switch (piece.op) {
    case FrameOp::trim:
      ata.flags = static_cast<std::uint8_t>(ata.flags | kAtaFlagWrite);
      ata.feature_error = kTrimFeature;
      ata.sector_count = 1;
      build_trim_ranges(data.first(kSectorBytes), piece.lba, piece.sectors);
      break;
    case FrameOp::write:
    case FrameOp::write_zeroes:
      ata.flags = static_cast<std::uint8_t>(ata.flags | kAtaFlagWrite);
      if (piece.op == FrameOp::write) {
        copy_bytes(data, piece.write_from);
      } else {
        fill_zero(data);
      }
      [[fallthrough]];
    case FrameOp::read:
      ata.sector_count = static_cast<std::uint8_t>(piece.sectors);
      if (extended) {
        ata.set_lba48(piece.lba);
      } else {
        ata.set_lba28(piece.lba);
      }
      break;
    case FrameOp::flush:
      break;
  }
  protocol::build_ata(frame, ata);
}

}  // namespace aoe::initiator
