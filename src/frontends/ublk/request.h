// The driver's requests, and how a disk is described to it: pure translation.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "frontends/ublk/uapi.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace aoe::ublk {

enum class Operation : std::uint8_t { read, write, flush, trim, zero };

// What is to be done for one tag.
struct Request {
  Operation operation = Operation::read;
  std::uint64_t offset_bytes = 0;
  std::uint64_t count_bytes = 0;  // 0 for a flush
  bool fua = false;               // complete when it is on stable storage
  bool no_hole = false;           // of zero: the blocks stay allocated
};

// Errors: EOPNOTSUPP (an operation that was never promised), EINVAL (data beyond `buffer_bytes`).
[[nodiscard]] Result<Request, int> decode_request(const uapi::IoDescriptor& descriptor,
                                                  std::uint32_t buffer_bytes);

// What the driver is to be told of a request that ended with `error` (an errno, or 0): the bytes
// that were transferred, or the negative errno.
[[nodiscard]] std::int32_t result_of(const Request& request, int error);

// What the driver is told of the disk.
struct DiskFacts {
  std::uint64_t bytes = 0;
  std::uint32_t preferred_bytes = 0;  // a good unit of I/O; 0: none is better
  bool is_read_only = false;
  bool is_rotational = false;
  bool can_trim = false;
};

[[nodiscard]] uapi::Parameters parameters_of(const DiskFacts& disk, std::uint32_t buffer_bytes);

// What the driver keeps of our devices in DeviceInfo::ublksrv_flags, whoever dies: whose disk it
// is, and 24 bits that tell that disk from others.
struct Mark {
  DeviceAddress address{};
  std::uint32_t disk = 0;  // fingerprint_of
  friend bool operator==(const Mark&, const Mark&) = default;
};

// Of what a disk says of itself. One of 16 million other disks has the same.
[[nodiscard]] std::uint32_t fingerprint_of(std::string_view model, std::string_view serial);

[[nodiscard]] std::uint64_t encode_mark(const Mark& mark);
// nullopt: the device of some other program.
[[nodiscard]] std::optional<Mark> decode_mark(std::uint64_t flags);

}  // namespace aoe::ublk
