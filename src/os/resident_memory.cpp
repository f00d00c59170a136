#include "os/resident_memory.h"

#include "base/bytes.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57  // linux/prctl.h, since Linux 5.6
#endif

namespace aoe::os {
namespace {

// Deeper than any call chain of ours.
constexpr std::size_t kStackBytes = std::size_t{256} << 10U;

// explicit_bzero() is the write that no compiler leaves out.
void touch(ByteSpan memory) {
  ::explicit_bzero(memory.data(), memory.size());
}

// The heap grows by the reserve once, is touched, and keeps it: freed memory stays with us.
void reserve_heap(std::size_t bytes) {
  (void)::mallopt(M_MMAP_MAX, 0);
  (void)::mallopt(M_TRIM_THRESHOLD, INT_MAX);
  std::vector<std::byte> reserve(bytes);
  touch(reserve);
}

[[gnu::noinline]] void touch_stack() {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): touch() writes all that matters
  std::array<std::byte, kStackBytes> pages;
  touch(pages);
}

}  // namespace

std::vector<std::string> keep_resident(std::size_t heap_reserve_bytes) {
  std::vector<std::string> undone;
  // Locked memory counts against a limit as soon as CAP_IPC_LOCK is gone. Only memory that is there
  // already is locked, so that no later allocation can fail for it.
  reserve_heap(heap_reserve_bytes);
  touch_stack();
  if (::mlockall(MCL_CURRENT) != 0) {
    undone.push_back(
        fmt::format("lock memory: {} (LimitMEMLOCK, or CAP_IPC_LOCK)", error_text(errno)));
  }
  if (::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) != 0) {
    undone.push_back(fmt::format("be an I/O flusher: {} (CAP_SYS_RESOURCE)", error_text(errno)));
  }
  return undone;
}

}  // namespace aoe::os
