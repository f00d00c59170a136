#include "tools/terminal.h"

#include "os/clock.h"
#include "os/error_text.h"
#include "tools/output.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string>
#include <utility>

namespace aoe::tools {
namespace {

constexpr std::string_view kEnterPage = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeavePage = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearToEndOfLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

}  // namespace

TerminalSize terminal_size(int fd) {
  winsize found{};
  TerminalSize size;
  if (::ioctl(fd, TIOCGWINSZ, &found) == 0 && found.ws_col > 0 && found.ws_row > 0) {
    size = {found.ws_col, found.ws_row};
  }
  return size;
}

Result<std::unique_ptr<TerminalPage>> TerminalPage::open() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
    return fail_with(Errc::invalid_argument, 0,
                     "standard input and output: not a terminal (a count makes a list instead)");
  }
  termios before{};
  if (::tcgetattr(STDIN_FILENO, &before) != 0) {
    return fail(os::os_error(errno, "terminal: read its mode"));
  }
  AOE_TRY_ASSIGN(auto signals, os::SignalSet::open({SIGWINCH, SIGINT, SIGTERM, SIGHUP}));
  termios raw = before;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  if (::tcsetattr(STDIN_FILENO, TCSANOW, &raw) != 0) {
    return fail(os::os_error(errno, "terminal: set its mode"));
  }
  std::unique_ptr<TerminalPage> page(new TerminalPage(before, std::move(signals)));
  AOE_TRY(print_out(kEnterPage));
  return page;
}

TerminalPage::~TerminalPage() {
  // Nobody is left to hear of an error.
  static_cast<void>(print_out(kLeavePage));
  static_cast<void>(::tcsetattr(STDIN_FILENO, TCSANOW, &before_));
}

TerminalSize TerminalPage::size() const {
  return terminal_size(STDOUT_FILENO);
}

Result<void> TerminalPage::draw(std::string_view text) {
  const TerminalSize room = size();
  std::string page(kHome);
  for (std::size_t row = 0; row < room.rows && !text.empty(); ++row) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    page += row == 0 ? "" : "\r\n";
    page += text.substr(0, std::min(end, room.columns));
    page += kClearToEndOfLine;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  page += kClearBelow;
  return print_out(page);
}

TerminalPage::Input TerminalPage::wait(Instant deadline) {
  for (;;) {
    std::array<pollfd, 2> entries{pollfd{STDIN_FILENO, POLLIN, 0},
                                  pollfd{signals_->wait_fd(), POLLIN, 0}};
    const Duration left = std::max(deadline - os::monotonic_now(), Duration{});
    const timespec timeout{left.ns / 1'000'000'000, left.ns % 1'000'000'000};
    const int ready = ::ppoll(entries.data(), entries.size(), &timeout, nullptr);
    if (ready < 0 && errno == EINTR) {
      continue;
    }
    if (ready <= 0) {
      return ready == 0 ? Input::none : Input::stop;
    }
    if (const auto signal = signals_->next()) {
      return signal->number == SIGWINCH ? Input::resize : Input::stop;
    }
    // A terminal that is gone reads as its end for ever.
    return ::read(STDIN_FILENO, &last_key_, 1) == 1 ? Input::key : Input::stop;
  }
}

}  // namespace aoe::tools
