#include "os/uring.h"

#include "base/check.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <utility>

namespace aoe::os {

namespace {

struct Flavour {
  unsigned flags;
  const char* name;
};

// Best first. Cooperative task work (Linux 5.19) finishes requests when this thread next enters or
// leaves the kernel, without interrupting it; TASKRUN_FLAG tells liburing's peek when that is due.
// A single issuer (6.0) saves a lock. Deferred task work (6.1) would save a little more, but then
// nobody who polls the ring's descriptor is woken (seen on 6.18).
constexpr std::array kFlavours = {
    Flavour{IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SINGLE_ISSUER,
            "cooperative, single issuer"},
    Flavour{IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, "cooperative"},
    Flavour{0, "plain"},
};

}  // namespace

Result<Uring> Uring::open(std::uint32_t entries) {
  int result = -EINVAL;
  for (const Flavour& flavour : kFlavours) {
    Uring uring;
    result = io_uring_queue_init(entries, &uring.ring_, flavour.flags | IORING_SETUP_R_DISABLED);
    if (result == -EINVAL) {
      continue;  // a flag this kernel does not know yet
    }
    if (result < 0) {
      break;
    }
    uring.is_open_ = true;
    uring.flavour_ = flavour.name;
    result = uring.restrict_to_file_io();
    if (result < 0) {
      break;
    }
    return uring;
  }
  return fail_with(errc_of_errno(-result), -result,
                   fmt::format("io_uring: cannot create a ring of {} entries: {}", entries,
                               error_text(-result)));
}

Uring::Uring(Uring&& other) noexcept
    : ring_(other.ring_),
      flavour_(other.flavour_),
      is_open_(std::exchange(other.is_open_, false)),
      is_enabled_(other.is_enabled_) {}

Uring::~Uring() {
  if (is_open_) {
    io_uring_queue_exit(&ring_);
  }
}

int Uring::restrict_to_file_io() {
  constexpr std::array<std::uint8_t, 7> kAllowed = {
      IORING_OP_READ,  IORING_OP_WRITE,     IORING_OP_READV, IORING_OP_WRITEV,
      IORING_OP_FSYNC, IORING_OP_FALLOCATE, IORING_OP_STATX};
  std::array<io_uring_restriction, kAllowed.size() + 2> rules{};
  for (std::size_t i = 0; i < kAllowed.size(); ++i) {
    rules[i].opcode = IORING_RESTRICTION_SQE_OP;
    rules[i].sqe_op = kAllowed[i];
  }
  io_uring_restriction& flags = rules[kAllowed.size()];
  flags.opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
  flags.sqe_flags = IOSQE_ASYNC;
  io_uring_restriction& enabling = rules[kAllowed.size() + 1];
  enabling.opcode = IORING_RESTRICTION_REGISTER_OP;
  enabling.register_op = IORING_REGISTER_ENABLE_RINGS;
  // liburing 2.3 declares a helper for this but its shared library does not export it.
  return io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_RESTRICTIONS,
                           rules.data(), rules.size());
}

void Uring::enable() {
  if (!is_enabled_) {
    const int result = io_uring_register(static_cast<unsigned>(ring_.ring_fd),
                                         IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
    AOE_CHECK(result == 0, "a ring that was created disabled can be enabled");
    is_enabled_ = true;
  }
}

}  // namespace aoe::os
