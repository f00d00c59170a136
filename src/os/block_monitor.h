// Tells that block devices or their partitions came, changed or went.
#pragma once

#include "base/result.h"
#include "os/fd.h"

#include <memory>
#include <string_view>
#include <utility>

namespace aoe::os {

// Whether a message of the kernel's device events ("add@/devices/..", then NAME=VALUE, each with a
// zero behind it) is about a block device.
[[nodiscard]] bool is_about_block_device(std::string_view message);

// Subscribes to the kernel's device events. They reach the network namespaces of the host's own
// user namespace. Needs no privileges. Single thread.
class BlockMonitor {
 public:
  // Errors: io, not_permitted.
  [[nodiscard]] static Result<std::unique_ptr<BlockMonitor>> open();

  // Readable when drain() has something to look at.
  [[nodiscard]] int wait_fd() const { return socket_.get(); }

  // Takes all waiting events; never blocks. Whether one was about a block device, or was lost.
  [[nodiscard]] bool drain();

 private:
  explicit BlockMonitor(Fd socket) : socket_(std::move(socket)) {}

  Fd socket_;
};

}  // namespace aoe::os
