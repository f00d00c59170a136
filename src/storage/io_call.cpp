#include "storage/io_call.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace aoe::storage {

namespace {

std::int64_t run_once(const IoOp& op) {
  const auto offset = static_cast<off_t>(op.offset_bytes);
  const auto length = static_cast<off_t>(op.length_bytes);
  const auto iovec_count = static_cast<int>(op.iovecs.size());
  switch (op.kind) {
    case IoKind::readv:
      if (iovec_count == 1) {
        // The kernel needs no copy of the vector.
        return ::pread(op.fd, op.iovecs[0].iov_base, op.iovecs[0].iov_len, offset);
      }
      return ::preadv(op.fd, op.iovecs.data(), iovec_count, offset);
    case IoKind::writev:
      if (iovec_count == 1) {
        return ::pwrite(op.fd, op.iovecs[0].iov_base, op.iovecs[0].iov_len, offset);
      }
      return ::pwritev(op.fd, op.iovecs.data(), iovec_count, offset);
    case IoKind::fdatasync:
      return ::fdatasync(op.fd);
    case IoKind::punch_hole:
      return ::fallocate(op.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
    case IoKind::zero_range:
      return ::fallocate(op.fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, length);
    case IoKind::status:
      return ::statx(op.fd, "", AT_EMPTY_PATH, STATX_SIZE, op.status);
  }
  errno = EINVAL;
  return -1;
}

}  // namespace

std::int64_t call_kernel(const IoOp& op) {
  const std::int64_t result = run_once(op);
  return result >= 0 ? result : -std::int64_t{errno};
}

}  // namespace aoe::storage
