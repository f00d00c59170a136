#include "os/uring.h"

#include "base/check.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

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

// One for each of as many exports as anybody has; the kernel takes no more than RLIMIT_NOFILE.
constexpr unsigned kFilesMax = 4096;
constexpr unsigned kFilesMin = 16;
constexpr int kNoFile = -1;

}  // namespace

Result<Uring> Uring::open(std::uint32_t entries, UringIssuer issuer) {
  int result = -EINVAL;
  for (const Flavour& flavour : kFlavours) {
    if (issuer == UringIssuer::several && (flavour.flags & IORING_SETUP_SINGLE_ISSUER) != 0) {
      continue;
    }
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
    uring.make_file_table();
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
      free_files_(std::move(other.free_files_)),
      flavour_(other.flavour_),
      is_open_(std::exchange(other.is_open_, false)),
      is_enabled_(other.is_enabled_) {}

Uring::~Uring() {
  if (is_open_) {
    io_uring_queue_exit(&ring_);
  }
}

int Uring::restrict_to_file_io() {
  constexpr std::array<std::uint8_t, 9> kOperations = {
      IORING_OP_READ,   IORING_OP_WRITE,      IORING_OP_READV,
      IORING_OP_WRITEV, IORING_OP_READ_FIXED, IORING_OP_WRITE_FIXED,
      IORING_OP_FSYNC,  IORING_OP_FALLOCATE,  IORING_OP_STATX};
  constexpr std::array<std::uint8_t, 3> kRegistrations = {
      IORING_REGISTER_ENABLE_RINGS, IORING_REGISTER_FILES_UPDATE, IORING_REGISTER_BUFFERS};
  std::array<io_uring_restriction, kOperations.size() + kRegistrations.size() + 1> rules{};
  std::size_t count = 0;
  for (const std::uint8_t operation : kOperations) {
    rules[count].opcode = IORING_RESTRICTION_SQE_OP;
    rules[count++].sqe_op = operation;
  }
  for (const std::uint8_t registration : kRegistrations) {
    rules[count].opcode = IORING_RESTRICTION_REGISTER_OP;
    rules[count++].register_op = registration;
  }
  rules[count].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
  rules[count].sqe_flags = IOSQE_ASYNC | IOSQE_FIXED_FILE;
  // liburing 2.3 declares a helper for this but its shared library does not export it.
  return io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_RESTRICTIONS,
                           rules.data(), rules.size());
}

// Empty places, which Linux 5.5 has learnt. What fails here leaves a ring without a table.
void Uring::make_file_table() {
  const std::vector<int> nothing(kFilesMax, kNoFile);
  unsigned count = kFilesMax;
  while (io_uring_register_files(&ring_, nothing.data(), count) != 0) {
    count /= 2;
    if (count < kFilesMin) {
      return;
    }
  }
  free_files_.reserve(count);
  for (unsigned place = count; place > 0; --place) {
    free_files_.push_back(place - 1);
  }
}

int Uring::update_file(unsigned place, int fd) {
  return io_uring_register_files_update(&ring_, place, &fd, 1);
}

std::optional<unsigned> Uring::add_file(int fd) {
  if (free_files_.empty() || update_file(free_files_.back(), fd) != 1) {
    return std::nullopt;
  }
  const unsigned place = free_files_.back();
  free_files_.pop_back();
  return place;
}

void Uring::remove_file(unsigned place) {
  // Should the kernel be out of memory for that, the next file in this place puts it out.
  (void)update_file(place, kNoFile);
  free_files_.push_back(place);
}

bool Uring::hold_memory(std::span<std::byte> memory) {
  const iovec all{.iov_base = memory.data(), .iov_len = memory.size()};
  return io_uring_register_buffers(&ring_, &all, 1) == 0;
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
