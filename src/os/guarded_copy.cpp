#include "os/guarded_copy.h"

#include "base/check.h"

#include <ucontext.h>

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstring>

namespace aoe::os {

namespace {

struct Guard {
  std::span<const std::byte> to;
  std::span<const std::byte> from;
  sigjmp_buf back{};
};

// Of the copy that this thread is in.
thread_local std::atomic<Guard*> current_guard{nullptr};

// The signals that were blocked where it failed. A jump out of a handler leaves those blocked that
// the handler is entered with.
thread_local sigset_t mask_at_fault{};

// Fences against the compiler, not against other processors: the handler runs in the same thread.
void guard_with(Guard* guard) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  current_guard.store(guard, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

// Written once, before the handler is in place.
struct sigaction previous_action {};

bool is_inside(std::span<const std::byte> memory, const void* address) {
  const auto* const at = static_cast<const std::byte*>(address);
  return at >= memory.data() && at < memory.data() + memory.size();
}

void handle_bus_error(int number, siginfo_t* info, void* context) {
  Guard* const guard = current_guard.load(std::memory_order_relaxed);
  // Codes above 0 are the kernel's: si_addr is what was touched.
  if (guard != nullptr && info->si_code > 0 &&
      (is_inside(guard->to, info->si_addr) || is_inside(guard->from, info->si_addr))) {
    mask_at_fault = static_cast<const ucontext_t*>(context)->uc_sigmask;
    siglongjmp(guard->back, 1);
  }
  (void)::sigaction(number, &previous_action, nullptr);
  if (info->si_code <= 0) {
    // Nothing will touch that memory again, as the instruction of a fault does.
    (void)::raise(number);
  }
}

bool guard_process() {
  struct sigaction action {};

  action.sa_sigaction = handle_bus_error;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  return ::sigaction(SIGBUS, nullptr, &previous_action) == 0 &&
         ::sigaction(SIGBUS, &action, nullptr) == 0;
}

}  // namespace

bool copy_guarded(std::span<std::byte> to, std::span<const std::byte> from) {
  static const bool is_guarded = guard_process();
  AOE_CHECK(is_guarded, "a handler for SIGBUS can always be set");
  AOE_CHECK(to.size() >= from.size(), "the caller made room");
  if (from.empty()) {
    return true;
  }
  Guard guard{.to = to.first(from.size()), .from = from};
  // Nothing between here and the end has a destructor that a jump would leave out.
  if (sigsetjmp(guard.back, 0) != 0) {
    guard_with(nullptr);
    (void)::pthread_sigmask(SIG_SETMASK, &mask_at_fault, nullptr);
    return false;
  }
  guard_with(&guard);
  std::memcpy(to.data(), from.data(), from.size());
  guard_with(nullptr);
  return true;
}

}  // namespace aoe::os
