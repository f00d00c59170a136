#include "frontends/ublk/request.h"

#include <algorithm>
#include <bit>
#include <cerrno>

namespace aoe::ublk {
namespace {

constexpr unsigned kSectorShift = 9;
constexpr std::uint32_t kSectorBytes = 1U << kSectorShift;
// A range without data may be long: 1 GiB a request, so that one does not hold up the others.
constexpr std::uint32_t kRangeSectorsMax = (1U << 30U) >> kSectorShift;
// "aoeki" in the upper 40 bits; below it shelf (16 bits) and slot (8).
constexpr std::uint64_t kMark = 0x616f656b69ULL << 24U;
constexpr std::uint64_t kMarkMask = ~0ULL << 24U;

std::uint8_t shift_of(std::uint32_t bytes) {
  return static_cast<std::uint8_t>(std::bit_width(std::max(bytes, kSectorBytes)) - 1);
}

}  // namespace

Result<Request, int> decode_request(const uapi::IoDescriptor& descriptor,
                                    std::uint32_t buffer_bytes) {
  Request request;
  request.offset_bytes = descriptor.start_sector << kSectorShift;
  request.count_bytes = std::uint64_t{descriptor.nr_sectors} << kSectorShift;
  request.fua = (descriptor.op_flags & uapi::kIoFua) != 0;
  bool has_data = false;
  switch (descriptor.op_flags & uapi::kOpMask) {
    case uapi::kOpRead:
      request.operation = Operation::read;
      request.fua = false;
      has_data = true;
      break;
    case uapi::kOpWrite:
      request.operation = Operation::write;
      has_data = true;
      break;
    case uapi::kOpFlush:
      return Request{.operation = Operation::flush};
    case uapi::kOpDiscard:
      request.operation = Operation::trim;
      break;
    case uapi::kOpWriteZeroes:
      request.operation = Operation::zero;
      request.no_hole = (descriptor.op_flags & uapi::kIoNoUnmap) != 0;
      break;
    default:
      return fail(EOPNOTSUPP);
  }
  if (has_data && request.count_bytes > buffer_bytes) {
    return fail(EINVAL);
  }
  return request;
}

std::int32_t result_of(const Request& request, int error) {
  if (error != 0) {
    return -error;
  }
  const bool has_data =
      request.operation == Operation::read || request.operation == Operation::write;
  return has_data ? static_cast<std::int32_t>(request.count_bytes) : 0;
}

uapi::Parameters parameters_of(const DiskFacts& disk, std::uint32_t buffer_bytes) {
  uapi::Parameters parameters;
  parameters.len = sizeof parameters;
  parameters.types = uapi::kTypeBasic;
  uapi::BasicParameters& basic = parameters.basic;
  basic.attrs = uapi::kAttrVolatileCache | uapi::kAttrFua;
  basic.attrs |= disk.is_read_only ? uapi::kAttrReadOnly : 0;
  basic.attrs |= disk.is_rotational ? uapi::kAttrRotational : 0;
  basic.logical_bs_shift = kSectorShift;
  basic.physical_bs_shift = kSectorShift;
  basic.io_min_shift = kSectorShift;
  basic.io_opt_shift = shift_of(disk.preferred_bytes);
  basic.max_sectors = buffer_bytes >> kSectorShift;
  basic.dev_sectors = disk.bytes >> kSectorShift;
  if (!disk.is_read_only) {
    // The driver takes the two together, and wants a granularity and one segment even without
    // discards.
    parameters.types |= uapi::kTypeDiscard;
    parameters.discard.discard_granularity = kSectorBytes;
    parameters.discard.max_discard_sectors = disk.can_trim ? kRangeSectorsMax : 0;
    parameters.discard.max_write_zeroes_sectors = kRangeSectorsMax;
    parameters.discard.max_discard_segments = 1;
  }
  return parameters;
}

std::uint64_t mark_of(DeviceAddress address) {
  return kMark | std::uint64_t{address.shelf.value} << 8U | address.slot.value;
}

std::optional<DeviceAddress> address_of_mark(std::uint64_t mark) {
  if ((mark & kMarkMask) != kMark) {
    return std::nullopt;
  }
  return DeviceAddress{Shelf{static_cast<std::uint16_t>(mark >> 8U)},
                       Slot{static_cast<std::uint8_t>(mark)}};
}

}  // namespace aoe::ublk
