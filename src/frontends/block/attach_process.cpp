#include "frontends/block/attach_process.h"

#include "os/error_text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <map>
#include <type_traits>
#include <utility>

namespace aoe::block {
namespace {

static_assert(std::is_trivially_copyable_v<AttachCommand>);
static_assert(std::is_trivially_copyable_v<AttachAnswer>);

void answer_to(int socket, const AttachAnswer& answer) {
  // Whoever asked may be gone.
  (void)!::send(socket, &answer, sizeof answer, MSG_NOSIGNAL);
}

// --- in the child ---

class AttachServer {
 public:
  AttachServer(int socket, Places places) : socket_(socket), places_(std::move(places)) {}

  // Until the daemon has closed its end.
  void run() {
    sigset_t only_child{};
    sigset_t none{};
    (void)sigemptyset(&none);
    (void)sigemptyset(&only_child);
    (void)sigaddset(&only_child, SIGCHLD);
    (void)sigprocmask(SIG_SETMASK, &only_child, nullptr);

    struct sigaction interrupt {};

    interrupt.sa_handler = [](int) {};
    (void)sigaction(SIGCHLD, &interrupt, nullptr);
    for (;;) {
      reap();
      pollfd wait{.fd = socket_, .events = POLLIN, .revents = 0};
      // An end that comes between reap() and here interrupts at once: only here it is let in.
      if (::ppoll(&wait, 1, nullptr, &none) < 0) {
        continue;
      }
      AttachCommand command;
      const ssize_t count = ::recv(socket_, &command, sizeof command, 0);
      if (count == 0 || (count < 0 && errno != EINTR)) {
        return;
      }
      if (count == sizeof command) {
        start(command);
      }
    }
  }

 private:
  void start(const AttachCommand& command) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      answer_to(socket_, carry_out(command, places_));
      ::_exit(0);
    }
    if (pid < 0) {
      fail(command.id, fmt::format("start a process: {}", os::error_text(errno)));
    } else {
      under_way_[pid] = command.id;
    }
  }

  void reap() {
    int status = 0;
    while (const pid_t pid = ::waitpid(-1, &status, WNOHANG)) {
      if (pid < 0) {
        return;
      }
      const auto ended = under_way_.extract(pid);
      if (!ended.empty() && status != 0) {
        fail(ended.mapped(), "the process that did it was killed");
      }
    }
  }

  void fail(std::uint64_t id, const std::string& why) const {
    AttachAnswer answer;
    answer.id = id;
    answer.text = why;
    answer_to(socket_, answer);
  }

  int socket_;
  Places places_;
  std::map<pid_t, std::uint64_t> under_way_;
};

[[noreturn]] void serve(const os::Fd& socket, Places places) {
  (void)::prctl(PR_SET_NAME, "aoe-attach");
  // Ctrl-C is for the daemon, which may refuse to end; without it we end.
  (void)std::signal(SIGINT, SIG_IGN);
  (void)std::signal(SIGTERM, SIG_IGN);
  (void)std::signal(SIGHUP, SIG_IGN);
  const os::Fd nowhere(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const int kept = ::dup(socket.get());
  (void)::dup2(kept, STDIN_FILENO);
  (void)::dup2(nowhere.get(), STDOUT_FILENO);
  (void)::dup2(nowhere.get(), STDERR_FILENO);
  // Above all the descriptor of the mount: while somebody has it, requests wait for an answer.
  (void)::close_range(STDERR_FILENO + 1, ~0U, 0);
  AttachServer(STDIN_FILENO, std::move(places)).run();
  ::_exit(0);
}

}  // namespace

// --- in the daemon ---

Result<std::unique_ptr<AttachProcess>> AttachProcess::start(Places places) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(os::os_error(errno, "attach process: socketpair"));
  }
  os::Fd ours(ends[0]);
  const os::Fd theirs(ends[1]);
  if (::fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0) {
    return fail(os::os_error(errno, "attach process: socket"));
  }
  // Whatever waits to be printed must not be printed twice.
  (void)std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ours.reset();
    serve(theirs, std::move(places));
  }
  if (pid < 0) {
    return fail(os::os_error(errno, "attach process: fork"));
  }
  return std::unique_ptr<AttachProcess>(new AttachProcess(std::move(ours), pid));
}

AttachProcess::~AttachProcess() {
  socket_.reset();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

Result<void> AttachProcess::send(const AttachCommand& command) {
  if (::send(socket_.get(), &command, sizeof command, MSG_NOSIGNAL) !=
      static_cast<ssize_t>(sizeof command)) {
    const bool is_full = errno == EAGAIN;
    return fail_with(Errc::unavailable, errno,
                     is_full ? "too many commands to attach or detach are under way"
                             : "the process that attaches has ended (restart the daemon)");
  }
  return {};
}

std::optional<AttachAnswer> AttachProcess::next() {
  AttachAnswer answer;
  for (;;) {
    const ssize_t count = ::recv(socket_.get(), &answer, sizeof answer, 0);
    if (count == static_cast<ssize_t>(sizeof answer)) {
      return answer;
    }
    if (count < 0 && errno == EINTR) {
      continue;
    }
    has_ended_ = count == 0 || (count < 0 && errno != EAGAIN);
    return std::nullopt;
  }
}

}  // namespace aoe::block
