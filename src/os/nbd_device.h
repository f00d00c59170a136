// Network block devices of the kernel (drivers/block/nbd.c), by generic netlink: no process of ours
// has to stay for them.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aoe::os {

struct NbdOptions {
  std::vector<int> sockets{};      // negotiated; the kernel takes references of its own
  std::uint64_t bytes = 0;         // of the device
  std::uint16_t server_flags = 0;  // the transmission flags of the negotiation
  // What /sys/block/nbdN/backend says (Linux 5.14): whose device it is.
  std::string backend{};
};

// Takes a free device, or makes one, of 512-byte sectors, and has its partitions looked for;
// returns "/dev/nbd0". It stays until disconnect_nbd(), whatever becomes of this process.
//
// Blocks while the server does. Errors: those of check_nbd, io; then no device is taken.
[[nodiscard]] Result<std::string> connect_nbd(const NbdOptions& options);

// Ends the connections, after which the server's end of them ends too. What is gone already is no
// error. Errors: those of check_nbd, busy (mounted, or part of another device), io.
[[nodiscard]] Result<void> disconnect_nbd(const std::string& device);

// What was given as `backend`; empty when it is not connected, or by somebody who gave none.
[[nodiscard]] std::string nbd_backend(const std::string& device);

// Whether this kernel has nbd. Errors: unsupported, with the reason; not_permitted.
[[nodiscard]] Result<void> check_nbd();

}  // namespace aoe::os
