#include "os/scheduling.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace aoe::os {

namespace {

// struct sched_attr of sched_setattr(2), its first version (SCHED_ATTR_SIZE_VER0): some C libraries
// lack it, and some define it twice together with the kernel's header.
struct Attributes {
  std::uint32_t size = 0;
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;  // of SCHED_OTHER: the slice
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

static_assert(sizeof(Attributes) == 48);

// The kernel takes 100 us to 100 ms (__setparam_fair, kernel/sched/syscalls.c).
constexpr std::uint64_t kSliceNs = 100'000;
constexpr std::uint32_t kSchedOther = 0;

}  // namespace

void ask_for_short_slices() {
  // Read first: the call sets the nice value, too.
  Attributes attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 ||
      attributes.policy != kSchedOther) {
    return;
  }
  attributes.size = sizeof attributes;
  attributes.runtime_ns = kSliceNs;
  (void)::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace aoe::os
