#include "initiator/request_splitter.h"

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
  frame.assign(frame_bytes(piece), std::byte{0xEE});
  build_piece(frame, piece, disk);
  return *protocol::parse_ata(frame);
}

TEST(RequestSplitter, ReadsUse48BitCommandsWhereTheDiskHasThem) {
  std::vector<std::byte> frame;
  const auto ata = built(frame, {.op = FrameOp::read, .lba = Lba{0x123456789ABC}, .sectors = 2});
  EXPECT_EQ(frame.size(), 36U);
  EXPECT_EQ(ata.argument.command_status, 0x24);
  EXPECT_EQ(ata.argument.flags, 0x40);
  EXPECT_EQ(ata.argument.sector_count, 2);
  EXPECT_EQ(ata.argument.lba48(), Lba{0x123456789ABC});
}

TEST(RequestSplitter, OldDisksGet28BitCommands) {
  std::vector<std::byte> frame;
  const auto ata =
      built(frame, {.op = FrameOp::read, .lba = Lba{0xABCDEF1}, .sectors = 1}, disk_with(false));
  EXPECT_EQ(ata.argument.command_status, 0x20);
  EXPECT_EQ(ata.argument.flags, 0);
  EXPECT_EQ(ata.argument.lba28(), Lba{0xABCDEF1});
  EXPECT_EQ(ata.argument.lba[3], 0xEA);
}

TEST(RequestSplitter, WritesCarryTheirData) {
  std::vector<std::byte> frame;
  const std::vector<std::byte> data(1024, std::byte{0x5A});
  const auto ata =
      built(frame,
            {.op = FrameOp::write, .lba = Lba{7}, .sectors = 2, .write_from = ConstByteSpan(data)});
  EXPECT_EQ(ata.argument.command_status, 0x34);
  EXPECT_EQ(ata.argument.flags, 0x41);
  EXPECT_TRUE(equal_bytes(ata.data, data));
}

TEST(RequestSplitter, WritesOfZeroesAreZeros) {
  std::vector<std::byte> frame;
  const auto ata = built(frame, {.op = FrameOp::write_zeroes, .lba = Lba{7}, .sectors = 1});
  EXPECT_EQ(ata.argument.command_status, 0x34);
  EXPECT_TRUE(equal_bytes(ata.data, std::vector<std::byte>(512)));
}

TEST(RequestSplitter, TrimListsRangesOf65535Sectors) {
  std::vector<std::byte> frame;
  const auto ata = built(frame, {.op = FrameOp::trim, .lba = Lba{100}, .sectors = 65535 + 10});
  EXPECT_EQ(ata.argument.command_status, 0x06);
  EXPECT_EQ(ata.argument.feature_error, 0x01);
  EXPECT_EQ(ata.argument.sector_count, 1);
  EXPECT_EQ(ata.argument.flags, 0x41);
  ASSERT_EQ(ata.data.size(), 512U);
  EXPECT_EQ(load_le64(ata.data, 0), std::uint64_t{65535} << 48U | 100U);
  EXPECT_EQ(load_le64(ata.data, 8), std::uint64_t{10} << 48U | 65635U);
  EXPECT_EQ(load_le64(ata.data, 16), 0U);
}

TEST(RequestSplitter, ZeroesAreTrimmedOnlyWhereTheDiskPromisesZeros) {
  EXPECT_EQ(frame_op(IoOp::write_zeroes, disk_with(true, true)), FrameOp::trim);
  EXPECT_EQ(frame_op(IoOp::write_zeroes, disk_with(true, false)), FrameOp::write_zeroes);
}

TEST(RequestSplitter, FlushIsTheFormThatEveryDiskHas) {
  std::vector<std::byte> frame;
  const auto ata = built(frame, {.op = FrameOp::flush});
  EXPECT_EQ(ata.argument.command_status, 0xE7);
  EXPECT_EQ(ata.argument.flags, 0);
  EXPECT_EQ(ata.argument.sector_count, 0);
}

}  // namespace
}  // namespace aoe::initiator
