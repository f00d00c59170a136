// Partitions that the kernel did not find by itself.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>

namespace aoe::os {

struct NewPartition {
  std::uint32_t number = 0;   // 1..: "/dev/loop0p1"
  std::uint64_t start = 0;    // sector of the disk
  std::uint64_t sectors = 0;  // above 0
};

// Makes a part of the block device ("/dev/loop0") a partition, as partx(8) does: it exists until
// the device goes or its label is read again. Errors: busy (it overlaps a partition that there is,
// or the number is taken), not_permitted (needs CAP_SYS_ADMIN), invalid_argument (past the end, or
// the device has no partitions), io.
[[nodiscard]] Result<void> add_partition(const std::string& device, const NewPartition& partition);

}  // namespace aoe::os
