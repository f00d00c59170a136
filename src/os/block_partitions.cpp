#include "os/block_partitions.h"

#include "base/ids.h"
#include "os/error_text.h"
#include "os/fd.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/blkpg.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <limits>

namespace aoe::os {

Result<void> add_partition(const std::string& device, const NewPartition& partition) {
  constexpr std::uint64_t kSectorsMax =
      static_cast<std::uint64_t>(std::numeric_limits<long long>::max()) / kSectorBytes;
  const std::string what = fmt::format("{}: make sectors {} and {} more partition {}", device,
                                       partition.start, partition.sectors, partition.number);
  if (partition.sectors > kSectorsMax || partition.start > kSectorsMax - partition.sectors) {
    return fail_with(Errc::invalid_argument, 0, what + ": past the end");
  }
  const Fd fd(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    return fail(os_error(errno, device + ": open"));
  }
  blkpg_partition part{};
  part.start = static_cast<long long>(partition.start * kSectorBytes);
  part.length = static_cast<long long>(partition.sectors * kSectorBytes);
  part.pno = static_cast<int>(partition.number);
  blkpg_ioctl_arg argument{};
  argument.op = BLKPG_ADD_PARTITION;
  argument.datalen = sizeof(part);
  argument.data = &part;
  if (::ioctl(fd.get(), BLKPG, &argument) < 0) {
    return fail(os_error(errno, what));
  }
  return {};
}

}  // namespace aoe::os
