// An io_uring that may only do file I/O, with whatever set-up flags the running kernel has.
#pragma once

#include "base/result.h"

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace aoe::os {

// Who uses a ring: one thread all the time, or several in turn.
enum class UringIssuer : bool { one, several };

// Owns a ring. All calls after open() come from one thread, the one that calls enable(): newer
// kernels are told so and skip their locks. With UringIssuer::several they may come from another
// thread later, which the caller sees to that it is alone.
//
// The ring is created disabled and restricted to READ, WRITE, READV, WRITEV, READ_FIXED,
// WRITE_FIXED, FSYNC, FALLOCATE and STATX, and to changes of its table of files and to memory, so
// that nobody who gets hold of it can open files or sockets through it.
class Uring {
 public:
  // entries: submission slots, rounded up to a power of two by the kernel, at most 32768.
  // Fails with unsupported or not_permitted where io_uring is absent or forbidden
  // (kernel.io_uring_disabled, seccomp).
  static Result<Uring> open(std::uint32_t entries, UringIssuer issuer = UringIssuer::one);

  Uring(Uring&& other) noexcept;
  Uring& operator=(Uring&&) = delete;
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;
  // Closes the ring. The kernel may still use the memory of requests in flight afterwards: whoever
  // owns that memory waits for their completions first.
  ~Uring();

  // Lets requests in; with UringIssuer::one the calling thread becomes the only one that may use
  // the ring. Repeated calls do nothing.
  void enable();

  // Makes the kernel hold `fd` in a table of the ring, so that requests need not look it up each
  // time; they name its place there, with IOSQE_FIXED_FILE. The file stays open until it is taken
  // out. Nothing where the table is full or the kernel refuses: requests then name the descriptor.
  // On the thread that called enable(), or before that.
  [[nodiscard]] std::optional<unsigned> add_file(int fd);
  // No request in flight names this place.
  void remove_file(unsigned place);

  // Makes the kernel hold the pages of `memory`, so that requests on it need not look them up each
  // time: READ_FIXED and WRITE_FIXED, buffer 0. Page-aligned; takes that much memory at once, until
  // the ring is closed. False where the kernel refuses (RLIMIT_MEMLOCK). Once; on the thread that
  // called enable(), or before that.
  [[nodiscard]] bool hold_memory(std::span<std::byte> memory);

  // The raw ring for the liburing calls. Valid as long as this object.
  [[nodiscard]] io_uring& ring() { return ring_; }

  // Readable while completions wait. Level-triggered, so there is nothing to drain. An epoll_wait
  // that sleeps on it may return with EINTR instead, when a request finishes; the descriptor is
  // then readable.
  [[nodiscard]] int fd() const { return ring_.ring_fd; }

  // Completions wait, or the kernel has some that it hands over with the next call into it.
  [[nodiscard]] bool has_completions() const {
    return io_uring_cq_ready(&ring_) != 0 ||
           (IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_TASKRUN) != 0;
  }

  // "cooperative, single issuer": which set-up the kernel took, for people.
  [[nodiscard]] const char* flavour() const { return flavour_; }

 private:
  Uring() = default;
  [[nodiscard]] int restrict_to_file_io();
  void make_file_table();
  [[nodiscard]] int update_file(unsigned place, int fd);

  io_uring ring_{};
  std::vector<unsigned> free_files_;  // places in the kernel's table
  const char* flavour_ = "";
  bool is_open_ = false;
  bool is_enabled_ = false;
};

}  // namespace aoe::os
