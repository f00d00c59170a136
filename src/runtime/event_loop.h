// The loop of one thread: waits on descriptors and a deadline, and calls back.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "os/fd.h"

#include <sys/epoll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace aoe::runtime {

// An epoll loop. Everything it calls runs on the thread that calls run_once(); nothing here may be
// used from another thread (a Worker posts its completions through a descriptor of its own).
//
//   while (!loop->stopped()) {
//     loop->run_once(earliest_timeout());   // callbacks fill the cores' inputs
//     ...                                   // drain the cores' outputs once per turn
//   }
//
// Registering allocates; turning does not.
//
// Where threads take turns with what the callbacks use, add_sleep_hooks() tells when this one needs
// nothing of it: then others may register and remove descriptors, too.
class EventLoop {
 public:
  // The events that epoll reported, EPOLLERR and EPOLLHUP included.
  using FdCallback = std::function<void(std::uint32_t)>;
  // Does waiting work without a system call and says whether there was any.
  using Poller = std::function<bool()>;
  using Hook = std::function<void()>;

  struct Options {
    // How long to call the pollers before sleeping, at most; zero sleeps at once. Not being woken
    // makes a round trip of a frame ten times shorter.
    Duration busy_poll{};
    // Spins as long as it is worth it: work that came soon after falling asleep makes it longer,
    // up to busy_poll, and a long sleep makes it shorter, down to nothing. Does not spin on a
    // machine with one processor: whom it waits for would have none.
    bool is_adaptive = false;
  };

  // For whom nobody has told otherwise: a round trip between two who both sleep takes about as
  // long, so that such a pair begins to spin.
  static constexpr Options kAdaptive{.busy_poll = Duration::microseconds(200), .is_adaptive = true};

  [[nodiscard]] static Result<std::unique_ptr<EventLoop>> create(Options options);

  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop() = default;

  // Calls `callback` whenever `fd` has one of `events` (EPOLLIN, EPOLLOUT, EPOLLET, ..). The fd
  // stays the caller's, who removes it before closing it. Errors: already_exists, io (the kernel
  // refuses the descriptor, as it does regular files).
  [[nodiscard]] Result<void> add_fd(int fd, std::uint32_t events, FdCallback callback);

  // Other events for a registered fd. Errors: not_found, io.
  [[nodiscard]] Result<void> modify_fd(int fd, std::uint32_t events);

  // No callback for `fd` happens after this, not even for events already gathered in this turn. May
  // be called from any callback, the fd's own included. Unknown descriptors are ignored.
  void remove_fd(int fd);

  // Pollers are called in every turn that spins, and stay registered for the loop's life. Register
  // them before the first turn. What they find has a descriptor of its own, too.
  void add_poller(Poller poller);

  // Called in front of every wait that may last, and after it, before any callback. Once, before
  // the first turn.
  void set_sleep_hooks(Hook before, Hook after);

  // One turn: spins if asked to, then sleeps until a descriptor is ready or `deadline` has come,
  // and runs the callbacks of what is ready. Returns at once when a poller found work, when the
  // deadline has passed, or after stop(). Without a deadline it waits for a descriptor. Signals
  // only shorten the wait. Pollers that find work turn after turn keep other descriptors waiting
  // for a few turns, and no longer.
  void run_once(std::optional<Instant> deadline);

  // Readable when run_once() has a callback to make: how one loop waits for another.
  [[nodiscard]] int wait_fd() const { return epoll_.get(); }

  // Makes this and all later turns return without sleeping. From a callback.
  void stop() { stopped_ = true; }

  [[nodiscard]] bool stopped() const { return stopped_; }

  // How long it spins now before it sleeps.
  [[nodiscard]] Duration spin_time() const { return spin_time_; }

 private:
  struct Entry {
    int fd = -1;  // -1 once removed
    FdCallback callback;
  };

  EventLoop(os::Fd epoll, Options options);
  [[nodiscard]] bool spin(std::optional<Instant> deadline);
  void learn(Duration idle);
  int wait(std::optional<Instant> deadline);
  int wait_and_tell(std::optional<Instant> deadline);
  void dispatch(int ready);

  os::Fd epoll_;
  Options options_;
  bool stopped_ = false;
  bool dispatching_ = false;
  Duration spin_time_{};
  Instant idle_since_;           // zero while there is work
  unsigned turns_unlooked_ = 0;  // that pollers filled, since the descriptors were looked at
  std::map<int, std::unique_ptr<Entry>> entries_;
  // Removed while their callbacks may be running; freed at the end of the turn.
  std::vector<std::unique_ptr<Entry>> removed_;
  std::vector<Poller> pollers_;
  Hook before_sleep_;
  Hook after_sleep_;
  std::vector<epoll_event> events_;
};

}  // namespace aoe::runtime
