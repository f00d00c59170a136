#include "frontends/fuse/connection.h"

#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>

namespace aoe::fuse {

Connection::ReadResult Connection::read(ByteSpan buffer, Request& request) {
  for (;;) {
    const ssize_t count = ::read(fd_, buffer.data(), buffer.size());
    if (count < 0) {
      if (errno == EINTR || errno == ENOENT) {
        continue;  // ENOENT: it was interrupted before we took it
      }
      return errno == EAGAIN ? ReadResult::none : ReadResult::closed;
    }
    const auto bytes = static_cast<std::size_t>(count);
    if (bytes < sizeof(fuse_in_header)) {
      return ReadResult::closed;
    }
    copy_bytes(std::as_writable_bytes(std::span(&request.header, 1)),
               buffer.first(sizeof(fuse_in_header)));
    request.body = buffer.first(bytes).subspan(sizeof(fuse_in_header));
    return ReadResult::request;
  }
}

void Connection::answer(std::uint64_t unique, int os_errno, ConstByteSpan body) {
  fuse_out_header header{};
  header.len = static_cast<std::uint32_t>(sizeof header + body.size());
  header.error = -os_errno;
  header.unique = unique;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): writev() does not write through it
  std::array<iovec, 2> parts{iovec{&header, sizeof header},
                             iovec{const_cast<std::byte*>(body.data()), body.size()}};
  const ssize_t sent = ::writev(fd_, parts.data(), body.empty() ? 1 : 2);
  // ENOENT: whoever asked was killed meanwhile.
  if (sent < 0 && errno != ENOENT) {
    ++failures_;
  }
}

bool Connection::ask_again() {
  // FUSE_NOTIFY_RESEND of Linux 6.9, which older headers do not have.
  constexpr std::int32_t kNotifyResend = 7;
  fuse_out_header header{};
  header.len = sizeof header;
  header.error = kNotifyResend;
  return ::write(fd_, &header, sizeof header) == static_cast<ssize_t>(sizeof header);
}

void Connection::invalidate_attributes(std::uint64_t node_id) {
  fuse_notify_inval_inode_out notice{};
  notice.ino = node_id;
  notice.off = -1;  // attributes only
  fuse_out_header header{};
  header.len = sizeof header + sizeof notice;
  header.error = FUSE_NOTIFY_INVAL_INODE;
  const std::array<iovec, 2> parts{iovec{&header, sizeof header}, iovec{&notice, sizeof notice}};
  // An error says that the kernel does not know the file: then it has no old size either.
  (void)!::writev(fd_, parts.data(), parts.size());
}

}  // namespace aoe::fuse
