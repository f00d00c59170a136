// Loop devices: a block device over a file (loop(4)).
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>

namespace aoe::os {

enum class LoopAccess : std::uint8_t { read_write, read_only };

struct LoopOptions {
  std::string file{};  // its absolute path
  LoopAccess access = LoopAccess::read_write;
};

// Takes a free loop device, makes it one of 512-byte sectors over the file, and has its partitions
// looked for; returns its path, "/dev/loop0". It reads and writes with direct I/O: a second copy in
// this host's cache would cost memory just when memory is short. It stays until detach_loop(),
// whatever becomes of this process.
//
// Blocks while the file does. Errors: unsupported (no loop devices, or no direct I/O with this
// file), not_permitted (needs CAP_SYS_ADMIN), io; then no device is taken.
[[nodiscard]] Result<std::string> attach_loop(const LoopOptions& options);

// Gives the loop device back. Errors: busy (a file system, another device or a program has it),
// io. What is gone already is no error.
[[nodiscard]] Result<void> detach_loop(const std::string& device);

// The file has another size: the device takes it over.
[[nodiscard]] Result<void> update_loop_size(const std::string& device);

// The path of its file as the kernel tells it; empty when it has none. A file below a mount that
// was taken away is named from the root of that mount: "/e7.1".
[[nodiscard]] std::string loop_file(const std::string& device);

// Whether this kernel has loop devices. Errors: unsupported, with the reason.
[[nodiscard]] Result<void> check_loop();

}  // namespace aoe::os
