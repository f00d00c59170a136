#include "os/uring_command.h"

#include <cstring>

namespace aoe::os {

void prepare_uring_command(io_uring_sqe& entry, int fd, std::uint32_t operation,
                           std::span<const std::byte> payload) {
  io_uring_prep_rw(IORING_OP_URING_CMD, &entry, fd, nullptr, 0, 0);
  entry.cmd_op = operation;
  std::memcpy(&entry.cmd[0], payload.data(), payload.size());
}

std::uint64_t address_of(const void* memory) {
  return reinterpret_cast<std::uintptr_t>(memory);
}

}  // namespace aoe::os
