#include "frontends/ublk/request.h"

#include "base/fnv1a.h"

#include <algorithm>
#include <bit>
#include <cerrno>

namespace aoe::ublk {
namespace {

constexpr unsigned kSectorShift = 9;
constexpr std::uint32_t kSectorBytes = 1U << kSectorShift;
// A range without data may be long: 1 GiB a request, so that one does not hold up the others.
constexpr std::uint32_t kRangeSectorsMax = (1U << 30U) >> kSectorShift;
// "ao" in the upper 16 bits; below it the disk (24 bits), shelf (16) and slot (8).
constexpr std::uint64_t kMark = 0x616fULL << 48U;
constexpr std::uint64_t kMarkMask = ~0ULL << 48U;
constexpr std::uint32_t kDiskMask = (1U << 24U) - 1;

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

std::uint32_t fingerprint_of(std::string_view model, std::string_view serial) {
  const std::uint64_t hash = fnv1a(serial, fnv1a("\n", fnv1a(model)));
  return static_cast<std::uint32_t>(hash ^ hash >> 24U ^ hash >> 48U) & kDiskMask;
}

std::uint64_t encode_mark(const Mark& mark) {
  return kMark | std::uint64_t{mark.disk & kDiskMask} << 24U |
         std::uint64_t{mark.address.shelf.value} << 8U | mark.address.slot.value;
}

std::optional<Mark> decode_mark(std::uint64_t flags) {
  if ((flags & kMarkMask) != kMark) {
    return std::nullopt;
  }
  return Mark{.address = {Shelf{static_cast<std::uint16_t>(flags >> 8U)},
                          Slot{static_cast<std::uint8_t>(flags)}},
              .disk = static_cast<std::uint32_t>(flags >> 24U) & kDiskMask};
}

}  // namespace aoe::ublk
