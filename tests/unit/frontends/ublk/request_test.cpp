#include "frontends/ublk/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <linux/ublk_cmd.h>

#include <cerrno>
#include <cstddef>

namespace aoe::ublk {
namespace {

constexpr std::uint32_t kBufferBytes = 64 * 1024;

uapi::IoDescriptor descriptor(std::uint32_t op_flags, std::uint32_t sectors,
                              std::uint64_t start = 0) {
  return {.op_flags = op_flags, .nr_sectors = sectors, .start_sector = start, .addr = 0};
}

TEST(UblkRequest, SectorsBecomeBytesAndFlagsAreKept) {
  const auto write = decode_request(descriptor(uapi::kOpWrite | uapi::kIoFua, 16, 3), kBufferBytes);
  ASSERT_TRUE(write);
  EXPECT_EQ(write->operation, Operation::write);
  EXPECT_EQ(write->offset_bytes, 1536U);
  EXPECT_EQ(write->count_bytes, 8192U);
  EXPECT_TRUE(write->fua);
  // Beyond 2^32 sectors.
  const auto read = decode_request(descriptor(uapi::kOpRead, 1, 1ULL << 40U), kBufferBytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->operation, Operation::read);
  EXPECT_EQ(read->offset_bytes, 1ULL << 49U);
  EXPECT_FALSE(read->fua);
  const auto zero = decode_request(descriptor(uapi::kOpWriteZeroes | uapi::kIoNoUnmap, 8), 0);
  ASSERT_TRUE(zero);
  EXPECT_EQ(zero->operation, Operation::zero);
  EXPECT_TRUE(zero->no_hole);
  EXPECT_FALSE(decode_request(descriptor(uapi::kOpWriteZeroes, 8), 0)->no_hole);
  EXPECT_EQ(decode_request(descriptor(uapi::kOpDiscard, 8), 0)->operation, Operation::trim);
  const auto flush = decode_request(descriptor(uapi::kOpFlush, 77, 5), 0);
  ASSERT_TRUE(flush);
  EXPECT_EQ(flush->operation, Operation::flush);
  EXPECT_EQ(flush->count_bytes, 0U);
}

TEST(UblkRequest, WhatWasNeverPromisedIsRefused) {
  EXPECT_EQ(decode_request(descriptor(4, 1), kBufferBytes).error(), EOPNOTSUPP);
  EXPECT_EQ(decode_request(descriptor(255, 1), kBufferBytes).error(), EOPNOTSUPP);
  // Data beyond the buffer would be written into the next tag's.
  EXPECT_TRUE(decode_request(descriptor(uapi::kOpRead, kBufferBytes / 512), kBufferBytes));
  EXPECT_EQ(decode_request(descriptor(uapi::kOpRead, kBufferBytes / 512 + 1), kBufferBytes).error(),
            EINVAL);
  EXPECT_EQ(decode_request(descriptor(uapi::kOpWrite, 0xffffffff), kBufferBytes).error(), EINVAL);
  // A range without data needs no buffer.
  EXPECT_TRUE(decode_request(descriptor(uapi::kOpDiscard, 0xffffffff), kBufferBytes));
}

TEST(UblkRequest, ResultsAreBytesOrNegativeErrors) {
  const Request read{.operation = Operation::read, .count_bytes = 4096};
  EXPECT_EQ(result_of(read, 0), 4096);
  EXPECT_EQ(result_of(read, ETIMEDOUT), -ETIMEDOUT);
  EXPECT_EQ(result_of({.operation = Operation::flush}, 0), 0);
  EXPECT_EQ(result_of({.operation = Operation::trim, .count_bytes = 1ULL << 40U}, 0), 0);
}

TEST(UblkParameters, TellWhatTheDiskCanDo) {
  const auto usual = parameters_of(
      {.bytes = 1 << 20, .preferred_bytes = 8192, .is_rotational = true, .can_trim = true},
      kBufferBytes);
  EXPECT_EQ(usual.len, sizeof usual);
  EXPECT_EQ(usual.types, uapi::kTypeBasic | uapi::kTypeDiscard);
  // Without the cache the kernel sends no flush, and what is not durable would count as such.
  EXPECT_EQ(usual.basic.attrs, uapi::kAttrVolatileCache | uapi::kAttrFua | uapi::kAttrRotational);
  EXPECT_EQ(usual.basic.dev_sectors, 2048U);
  EXPECT_EQ(usual.basic.max_sectors, kBufferBytes / 512);
  EXPECT_EQ(usual.basic.logical_bs_shift, 9);
  EXPECT_EQ(usual.basic.io_opt_shift, 13);
  EXPECT_GT(usual.discard.max_discard_sectors, 0U);
  EXPECT_GT(usual.discard.max_write_zeroes_sectors, 0U);
  EXPECT_EQ(usual.discard.discard_granularity, 512U);

  const auto plain = parameters_of({.bytes = 512}, kBufferBytes);
  EXPECT_EQ(plain.discard.max_discard_sectors, 0U);
  EXPECT_EQ(plain.basic.io_opt_shift, 9);

  const auto read_only = parameters_of({.bytes = 512, .is_read_only = true}, kBufferBytes);
  EXPECT_NE(read_only.basic.attrs & uapi::kAttrReadOnly, 0U);
  EXPECT_EQ(read_only.types, uapi::kTypeBasic);
}

TEST(UblkMark, NamesTheDiskAndNobodyElses) {
  const Mark last{.address = {Shelf{65534}, Slot{254}}, .disk = 0xffffff};
  EXPECT_EQ(decode_mark(encode_mark(last)), last);
  const Mark usual{.address = {Shelf{7}, Slot{1}}, .disk = 0x123456};
  EXPECT_EQ(decode_mark(encode_mark(usual)), usual);
  EXPECT_EQ(decode_mark(0), std::nullopt);
  EXPECT_EQ(decode_mark(~0ULL), std::nullopt);
}

TEST(UblkMark, TellsDisksApartByModelAndSerialNumber) {
  const std::uint32_t disk = fingerprint_of("aoekit", "S1");
  EXPECT_LT(disk, 1U << 24U);
  EXPECT_EQ(fingerprint_of("aoekit", "S1"), disk);
  EXPECT_NE(fingerprint_of("aoekit", "S2"), disk);
  EXPECT_NE(fingerprint_of("aoeki", "tS1"), disk);
}

// Against the header of this system where that has it already, and literally where it does not.
TEST(UblkUapi, CommandsHaveTheKernelsNumbers) {
  EXPECT_EQ(uapi::kAddDevice, 0xc0207504U);
  EXPECT_EQ(uapi::kGetDeviceInfo, 0x80207502U);
  EXPECT_EQ(uapi::kFetch, 0xc0107520U);
  EXPECT_EQ(uapi::kCommitAndFetch, 0xc0107521U);
  EXPECT_EQ(sizeof(uapi::DeviceInfo), sizeof(ublksrv_ctrl_dev_info));
  EXPECT_EQ(offsetof(uapi::DeviceInfo, ublksrv_pid), offsetof(ublksrv_ctrl_dev_info, ublksrv_pid));
  EXPECT_EQ(offsetof(uapi::DeviceInfo, flags), offsetof(ublksrv_ctrl_dev_info, flags));
  EXPECT_EQ(offsetof(uapi::DeviceInfo, ublksrv_flags),
            offsetof(ublksrv_ctrl_dev_info, ublksrv_flags));
  EXPECT_EQ(offsetof(uapi::ControlCommand, data), offsetof(ublksrv_ctrl_cmd, data));
  EXPECT_EQ(offsetof(uapi::IoDescriptor, start_sector), offsetof(ublksrv_io_desc, start_sector));
  EXPECT_EQ(offsetof(uapi::IoCommand, result), offsetof(ublksrv_io_cmd, result));
  EXPECT_EQ(offsetof(uapi::Parameters, discard), offsetof(ublk_params, discard));
  EXPECT_EQ(offsetof(uapi::DiscardParameters, max_discard_segments),
            offsetof(ublk_param_discard, max_discard_segments));
}

}  // namespace
}  // namespace aoe::ublk
