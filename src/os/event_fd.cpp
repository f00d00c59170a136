#include "os/event_fd.h"

#include "os/error_text.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

namespace aoe::os {

Result<EventFd> EventFd::open() {
  Fd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) {
    return fail(os_error(errno, "eventfd: cannot create"));
  }
  return EventFd(std::move(fd));
}

void EventFd::signal() const {
  // Fails only with EAGAIN at 2^64-2 pending signals, when the reader is awake anyway.
  (void)::eventfd_write(fd_.get(), 1);
}

void EventFd::drain() const {
  eventfd_t value = 0;
  (void)::eventfd_read(fd_.get(), &value);
}

}  // namespace aoe::os
