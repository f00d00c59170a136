#include "storage/uring_engine.h"

#include "os/uring_command.h"

#include <fmt/format.h>

#include <fcntl.h>

#include <array>
#include <utility>

namespace aoe::storage {

Result<std::unique_ptr<UringEngine>> UringEngine::open(std::uint32_t ring_entries,
                                                       os::UringIssuer issuer) {
  AOE_TRY_ASSIGN(os::Uring uring, os::Uring::open(ring_entries, issuer));
  return std::unique_ptr<UringEngine>(new UringEngine(std::move(uring)));
}

UringEngine::~UringEngine() {
  wait_until_idle();
}

std::string UringEngine::describe() const {
  return fmt::format("io_uring ({})", uring_.flavour());
}

void UringEngine::prepare(io_uring_sqe* sqe, const IoOp& op) const {
  const auto iovec_count = static_cast<unsigned>(op.iovecs.size());
  const auto offset = static_cast<off_t>(op.offset_bytes);
  const auto length = static_cast<off_t>(op.length_bytes);
  switch (op.kind) {
    case IoKind::readv:
      if (iovec_count == 1 && is_held(op.iovecs[0])) {
        io_uring_prep_read_fixed(sqe, op.fd, op.iovecs[0].iov_base,
                                 static_cast<unsigned>(op.iovecs[0].iov_len), op.offset_bytes, 0);
        return;
      }
      if (iovec_count == 1) {
        // The kernel needs no copy of the vector.
        io_uring_prep_read(sqe, op.fd, op.iovecs[0].iov_base,
                           static_cast<unsigned>(op.iovecs[0].iov_len), op.offset_bytes);
        return;
      }
      io_uring_prep_readv(sqe, op.fd, op.iovecs.data(), iovec_count, op.offset_bytes);
      return;
    case IoKind::writev:
      if (iovec_count == 1 && is_held(op.iovecs[0])) {
        io_uring_prep_write_fixed(sqe, op.fd, op.iovecs[0].iov_base,
                                  static_cast<unsigned>(op.iovecs[0].iov_len), op.offset_bytes, 0);
        return;
      }
      if (iovec_count == 1) {
        io_uring_prep_write(sqe, op.fd, op.iovecs[0].iov_base,
                            static_cast<unsigned>(op.iovecs[0].iov_len), op.offset_bytes);
        return;
      }
      io_uring_prep_writev(sqe, op.fd, op.iovecs.data(), iovec_count, op.offset_bytes);
      return;
    case IoKind::fdatasync:
      io_uring_prep_fsync(sqe, op.fd, IORING_FSYNC_DATASYNC);
      return;
    case IoKind::punch_hole:
      io_uring_prep_fallocate(sqe, op.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
                              length);
      return;
    case IoKind::zero_range:
      io_uring_prep_fallocate(sqe, op.fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset,
                              length);
      return;
    case IoKind::status:
      io_uring_prep_statx(sqe, op.fd, "", AT_EMPTY_PATH, STATX_SIZE, op.status);
      return;
  }
}

bool UringEngine::is_held(const iovec& piece) const {
  // Compared as numbers: what lies elsewhere is no part of the same array.
  const auto begin = os::address_of(held_memory_.data());
  const auto at = os::address_of(piece.iov_base);
  return at >= begin && at - begin <= held_memory_.size() &&
         piece.iov_len <= held_memory_.size() - (at - begin);
}

int UringEngine::hold(int fd) {
  if (const auto lent = std::exchange(lent_memory_, {});
      !lent.empty() && uring_.hold_memory(lent)) {
    held_memory_ = lent;
  }
  const auto place = uring_.add_file(fd);
  return place ? static_cast<int>(*place) : kNotHeld;
}

void UringEngine::let_go(int held_file) {
  uring_.remove_file(static_cast<unsigned>(held_file));
}

void UringEngine::start(std::uint64_t user_data, const IoOp& op, int held_file) {
  uring_.enable();
  // Nothing overtakes the backlog, or it would starve.
  if (!backlog_.empty() || !try_start({user_data, op, held_file})) {
    backlog_.push_back({user_data, op, held_file});
  }
}

bool UringEngine::try_start(const Waiting& started) {
  io_uring_sqe* sqe = io_uring_get_sqe(&uring_.ring());
  if (sqe == nullptr) {
    push_to_kernel();
    sqe = io_uring_get_sqe(&uring_.ring());
    if (sqe == nullptr) {
      return false;
    }
  }
  prepare(sqe, started.op);
  unsigned flags = 0;
  if (started.op.may_hang) {
    // FUSE calls itself able not to wait, and waits (fuse_direct_IO, Linux 6.18).
    flags |= IOSQE_ASYNC;
  }
  if (started.held_file != kNotHeld && started.op.kind != IoKind::status) {
    // The kernel refuses statx on a file of the table.
    flags |= IOSQE_FIXED_FILE;
    sqe->fd = started.held_file;
  }
  io_uring_sqe_set_flags(sqe, flags);
  io_uring_sqe_set_data64(sqe, started.user_data);
  has_unsubmitted_ = true;
  return true;
}

void UringEngine::kick() {
  push_to_kernel();
}

void UringEngine::push_to_kernel() {
  // A submission stops early when the kernel is out of memory (EAGAIN) or its completion queue is
  // over-full (EBUSY). What is left stays in the ring, and poll() tries again.
  int taken = 1;
  while (taken > 0 && io_uring_sq_ready(&uring_.ring()) > 0) {
    taken = io_uring_submit(&uring_.ring());
  }
  has_unsubmitted_ = io_uring_sq_ready(&uring_.ring()) > 0;
}

void UringEngine::collect() {
  if (in_flight() == 0) {
    return;
  }
  constexpr unsigned kBatch = 64;

  struct Arrived {
    std::uint64_t user_data;
    std::int64_t result;
  };

  std::array<io_uring_cqe*, kBatch> cqes{};
  std::array<Arrived, kBatch> arrived{};
  unsigned count = 0;
  do {
    count = io_uring_peek_batch_cqe(&uring_.ring(), cqes.data(), kBatch);
    for (unsigned i = 0; i < count; ++i) {
      arrived[i] = {cqes[i]->user_data, cqes[i]->res};
    }
    // The kernel gets its slots back before a client submits more from its handler.
    io_uring_cq_advance(&uring_.ring(), count);
    for (unsigned i = 0; i < count; ++i) {
      finish(arrived[i].user_data, arrived[i].result);
    }
  } while (count == kBatch);
  if (!backlog_.empty() || has_unsubmitted_) {
    while (!backlog_.empty() && try_start(backlog_.front())) {
      backlog_.pop_front();
    }
    push_to_kernel();
  }
}

}  // namespace aoe::storage
