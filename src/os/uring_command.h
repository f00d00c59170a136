// Commands of a driver in entries of an io_uring (IORING_OP_URING_CMD).
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace aoe::os {

// Fills an entry of a ring with a command for the driver behind `fd`. `payload` is copied: at most
// 16 bytes, or 80 in a ring of IORING_SETUP_SQE128.
void prepare_uring_command(io_uring_sqe& entry, int fd, std::uint32_t operation,
                           std::span<const std::byte> payload);

// An address as drivers take it, in a number.
[[nodiscard]] std::uint64_t address_of(const void* memory);

}  // namespace aoe::os
