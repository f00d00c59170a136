// What the kernel's ublk driver and a program say to each other.
//
// The header of Debian 12 (linux/ublk_cmd.h of Linux 6.1) lacks the ioctl-encoded commands that
// newer kernels may demand (CONFIG_BLKDEV_UBLK_LEGACY_OPCODES=n), and all that came later. So: our
// own, each from include/uapi/linux/ublk_cmd.h of Linux 6.12 unless it says another version.
#pragma once

#include <sys/ioctl.h>

#include <cstdint>

namespace aoe::ublk::uapi {

// struct ublksrv_ctrl_cmd: lies in the 80 bytes of an SQE128.
struct ControlCommand {
  std::uint32_t dev_id = 0;
  std::uint16_t queue_id = 0xffff;  // "must be -1 if the cmd isn't for queue"
  std::uint16_t len = 0;            // of what `addr` points to
  std::uint64_t addr = 0;
  std::uint64_t data[2] = {};
};

static_assert(sizeof(ControlCommand) == 32);

// struct ublksrv_ctrl_dev_info.
struct DeviceInfo {
  std::uint16_t nr_hw_queues = 0;
  std::uint16_t queue_depth = 0;
  std::uint16_t state = 0;
  std::uint16_t pad0 = 0;
  std::uint32_t max_io_buf_bytes = 0;
  std::uint32_t dev_id = 0;
  std::int32_t ublksrv_pid = 0;
  std::uint32_t pad1 = 0;
  std::uint64_t flags = 0;
  std::uint64_t ublksrv_flags = 0;  // "for ublksrv internal use, invisible to ublk driver"
  std::uint32_t owner_uid = 0;
  std::uint32_t owner_gid = 0;
  std::uint64_t reserved1 = 0;
  std::uint64_t reserved2 = 0;
};

static_assert(sizeof(DeviceInfo) == 64);

// struct ublksrv_io_desc: what the driver wants, an array of them mapped for each queue.
struct IoDescriptor {
  std::uint32_t op_flags = 0;  // the operation in bits 0-7, flags above
  std::uint32_t nr_sectors = 0;
  std::uint64_t start_sector = 0;
  std::uint64_t addr = 0;
};

static_assert(sizeof(IoDescriptor) == 24);

// struct ublksrv_io_cmd: lies in the 16 bytes of a plain SQE.
struct IoCommand {
  std::uint16_t q_id = 0;
  std::uint16_t tag = 0;
  std::int32_t result = 0;
  std::uint64_t addr = 0;  // our buffer for the next request of this tag
};

static_assert(sizeof(IoCommand) == 16);

// struct ublk_param_basic, struct ublk_param_discard, and the head of struct ublk_params.
struct BasicParameters {
  std::uint32_t attrs = 0;
  std::uint8_t logical_bs_shift = 0;
  std::uint8_t physical_bs_shift = 0;
  std::uint8_t io_opt_shift = 0;
  std::uint8_t io_min_shift = 0;
  std::uint32_t max_sectors = 0;
  std::uint32_t chunk_sectors = 0;
  std::uint64_t dev_sectors = 0;
  std::uint64_t virt_boundary_mask = 0;
};

struct DiscardParameters {
  std::uint32_t discard_alignment = 0;
  std::uint32_t discard_granularity = 0;
  std::uint32_t max_discard_sectors = 0;
  std::uint32_t max_write_zeroes_sectors = 0;
  std::uint16_t max_discard_segments = 0;
  std::uint16_t reserved0 = 0;
};

struct Parameters {
  std::uint32_t len = 0;
  std::uint32_t types = 0;
  BasicParameters basic{};
  DiscardParameters discard{};
};

static_assert(sizeof(BasicParameters) == 32);
static_assert(sizeof(DiscardParameters) == 20);

inline constexpr std::uint32_t kTypeBasic = 1U << 0U;
inline constexpr std::uint32_t kTypeDiscard = 1U << 1U;
inline constexpr std::uint32_t kAttrReadOnly = 1U << 0U;
inline constexpr std::uint32_t kAttrRotational = 1U << 1U;
inline constexpr std::uint32_t kAttrVolatileCache = 1U << 2U;
inline constexpr std::uint32_t kAttrFua = 1U << 3U;

// UBLK_F_..
inline constexpr std::uint64_t kFlagUserRecovery = 1ULL << 3U;
inline constexpr std::uint64_t kFlagUserRecoveryReissue = 1ULL << 4U;
inline constexpr std::uint64_t kFlagIoctlEncode = 1ULL << 6U;
inline constexpr std::uint64_t kFlagUpdateSize = 1ULL << 10U;  // Linux 6.16

// UBLK_S_DEV_..
inline constexpr std::uint16_t kStateDead = 0;
inline constexpr std::uint16_t kStateLive = 1;
inline constexpr std::uint16_t kStateQuiesced = 2;

// UBLK_IO_OP_.., UBLK_IO_F_FUA, UBLK_IO_F_NOUNMAP
inline constexpr std::uint32_t kOpMask = 0xff;
inline constexpr std::uint32_t kOpRead = 0;
inline constexpr std::uint32_t kOpWrite = 1;
inline constexpr std::uint32_t kOpFlush = 2;
inline constexpr std::uint32_t kOpDiscard = 3;
inline constexpr std::uint32_t kOpWriteZeroes = 5;
inline constexpr std::uint32_t kIoFua = 1U << 13U;
inline constexpr std::uint32_t kIoNoUnmap = 1U << 15U;

// UBLK_IO_RES_OK; any other result of a fetch, above all UBLK_IO_RES_ABORT (-ENODEV), ends it.
inline constexpr int kResultOk = 0;

inline constexpr std::uint32_t kQueueDepthMax = 4096;  // UBLK_MAX_QUEUE_DEPTH

// Each queue's descriptors are mapped from here on, UBLK_MAX_QUEUE_DEPTH of them apart.
inline constexpr std::uint64_t kDescriptorsOffset = 0;  // UBLKSRV_CMD_BUF_OFFSET

// UBLK_U_CMD_.. and UBLK_U_IO_..
inline constexpr std::uint32_t kGetDeviceInfo = _IOR('u', 0x02, ControlCommand);
inline constexpr std::uint32_t kAddDevice = _IOWR('u', 0x04, ControlCommand);
inline constexpr std::uint32_t kDeleteDevice = _IOWR('u', 0x05, ControlCommand);
inline constexpr std::uint32_t kStartDevice = _IOWR('u', 0x06, ControlCommand);
inline constexpr std::uint32_t kStopDevice = _IOWR('u', 0x07, ControlCommand);
inline constexpr std::uint32_t kSetParameters = _IOWR('u', 0x08, ControlCommand);
inline constexpr std::uint32_t kGetParameters = _IOR('u', 0x09, ControlCommand);
inline constexpr std::uint32_t kStartUserRecovery = _IOWR('u', 0x10, ControlCommand);
inline constexpr std::uint32_t kEndUserRecovery = _IOWR('u', 0x11, ControlCommand);
inline constexpr std::uint32_t kGetFeatures = _IOR('u', 0x13, ControlCommand);
inline constexpr std::uint32_t kUpdateSize = _IOWR('u', 0x15, ControlCommand);  // Linux 6.16
inline constexpr std::uint32_t kFetch = _IOWR('u', 0x20, IoCommand);
inline constexpr std::uint32_t kCommitAndFetch = _IOWR('u', 0x21, IoCommand);

}  // namespace aoe::ublk::uapi
