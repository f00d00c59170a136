#include "initiator/frame_op.h"

#include "protocol/aoe_ata.h"

#include <gtest/gtest.h>

#include <vector>

namespace aoe::initiator {
namespace {

protocol::IdentifyModel disk_with(bool lba48, bool trim_reads_zero = false) {
  protocol::IdentifyModel disk;
  disk.has_lba48 = lba48;
  disk.has_trim = true;
  disk.trim_reads_zero = trim_reads_zero;
  return disk;
}

protocol::AtaFrame built(std::vector<std::byte>& frame, const Piece& piece,
                         const protocol::IdentifyModel& disk = {}) {
  frame.assign(protocol::kAtaHeaderBytes + data_bytes(piece), std::byte{0xEE});
  build_piece(frame, piece, disk);
  return *protocol::parse_ata(frame);
}

TEST(FrameOp, ReadsUse48BitCommandsWhereTheDiskHasThem) {
  std::vector<std::byte> frame;
  const auto ata = built(frame, {.op = FrameOp::read, .lba = Lba{0x123456789ABC}, .sectors = 2});
  EXPECT_EQ(frame.size(), 36U);
  EXPECT_EQ(ata.argument.command_status, 0x24);
  EXPECT_EQ(ata.argument.flags, 0x40);
  EXPECT_EQ(ata.argument.sector_count, 2);
  EXPECT_EQ(ata.argument.lba48(), Lba{0x123456789ABC});
}

TEST(FrameOp, OldDisksGet28BitCommands) {
  std::vector<std::byte> frame;
  const auto ata =
      built(frame, {.op = FrameOp::read, .lba = Lba{0xABCDEF1}, .sectors = 1}, disk_with(false));
  EXPECT_EQ(ata.argument.command_status, 0x20);
  EXPECT_EQ(ata.argument.flags, 0);
  EXPECT_EQ(ata.argument.lba28(), Lba{0xABCDEF1});
  EXPECT_EQ(ata.argument.lba[3], 0xEA);
}

TEST(FrameOp, WritesCarryTheirData) {
  std::vector<std::byte> frame;
  const auto ata = built(frame, {.op = FrameOp::write, .lba = Lba{7}, .sectors = 2});
  EXPECT_EQ(ata.argument.command_status, 0x34);
  EXPECT_EQ(ata.argument.flags, 0x41);
  EXPECT_EQ(ata.data.size(), 1024U);
  EXPECT_EQ(ata.data[0], std::byte{0xEE}) << "the data are the caller's to fill in";
}

TEST(FrameOp, WritesOfZeroesAreZeros) {
  std::vector<std::byte> frame;
  const auto ata = built(frame, {.op = FrameOp::write_zeroes, .lba = Lba{7}, .sectors = 1});
  EXPECT_EQ(ata.argument.command_status, 0x34);
  EXPECT_TRUE(equal_bytes(ata.data, std::vector<std::byte>(512)));
}

TEST(FrameOp, ADurableWriteHasAFormOfItsOwn) {
  std::vector<std::byte> frame;
  const auto ata = built(frame, {.op = FrameOp::write_fua, .lba = Lba{7}, .sectors = 1});
  EXPECT_EQ(ata.argument.command_status, 0x3D);
  EXPECT_EQ(ata.argument.flags, 0x41);
  EXPECT_EQ(ata.argument.lba48(), Lba{7});
}

TEST(FrameOp, TrimCountsItsBlocks) {
  std::vector<std::byte> frame;
  const auto ata = built(frame, {.op = FrameOp::trim, .sectors = 1, .ranges = 65});
  EXPECT_EQ(ata.argument.command_status, 0x06);
  EXPECT_EQ(ata.argument.feature_error, 0x01);
  EXPECT_EQ(ata.argument.sector_count, 2);
  EXPECT_EQ(ata.argument.flags, 0x41);
  EXPECT_EQ(ata.data.size(), 1024U);
}

TEST(FrameOp, TrimRangesAreLimitedByDiskAndPath) {
  protocol::IdentifyModel disk = disk_with(true);
  EXPECT_EQ(trim_ranges_max(disk, 17), 64U) << "what the disk does not say is one block";
  disk.trim_blocks_max = 8;
  EXPECT_EQ(trim_ranges_max(disk, 17), 512U);
  EXPECT_EQ(trim_ranges_max(disk, 2), 128U);
  EXPECT_EQ(trim_ranges(65535), 1U);
  EXPECT_EQ(trim_ranges(65536), 2U);
}

TEST(FrameOp, APathMustCarryTheLargerOfFrameAndAnswer) {
  EXPECT_EQ(carried_sectors({.op = FrameOp::read, .sectors = 9}), 9U);
  EXPECT_EQ(carried_sectors({.op = FrameOp::write_zeroes, .sectors = 9}), 9U);
  EXPECT_EQ(carried_sectors({.op = FrameOp::trim, .sectors = 900, .ranges = 3}), 1U);
  EXPECT_EQ(carried_sectors({.op = FrameOp::flush}), 0U);
}

TEST(FrameOp, ZeroesAreTrimmedOnlyWhereTheDiskPromisesZeros) {
  const IoRequest zeroes{.op = IoOp::write_zeroes};
  EXPECT_EQ(frame_op(zeroes, disk_with(true, true)), FrameOp::trim);
  EXPECT_EQ(frame_op(zeroes, disk_with(true, false)), FrameOp::write_zeroes);
}

TEST(FrameOp, DurableMeansFuaOrAFlushOrNothing) {
  const IoRequest write{.op = IoOp::write, .durable = true};
  const IoRequest trim{.op = IoOp::trim, .durable = true};
  protocol::IdentifyModel disk = disk_with(true);
  disk.has_fua = true;
  EXPECT_EQ(frame_op(write, disk), FrameOp::write) << "nothing is volatile";
  EXPECT_FALSE(needs_flush(write, disk));
  disk.write_cache_enabled = true;
  EXPECT_EQ(frame_op(write, disk), FrameOp::write_fua);
  EXPECT_FALSE(needs_flush(write, disk));
  EXPECT_TRUE(needs_flush(trim, disk));
  EXPECT_FALSE(needs_flush({.op = IoOp::write}, disk));
  EXPECT_FALSE(needs_flush({.op = IoOp::read, .durable = true}, disk));
  disk.has_lba48 = false;
  EXPECT_EQ(frame_op(write, disk), FrameOp::write);
  EXPECT_TRUE(needs_flush(write, disk));
}

TEST(FrameOp, FlushIsTheFormThatEveryDiskHas) {
  std::vector<std::byte> frame;
  const auto ata = built(frame, {.op = FrameOp::flush});
  EXPECT_EQ(ata.argument.command_status, 0xE7);
  EXPECT_EQ(ata.argument.flags, 0);
  EXPECT_EQ(ata.argument.sector_count, 0);
}

}  // namespace
}  // namespace aoe::initiator
