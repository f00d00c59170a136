#include "tools/progress.h"

#include "os/clock.h"
#include "tools/output.h"
#include "tools/terminal.h"
#include "tools/values.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::tools {
namespace {

constexpr Duration kRedrawPause = Duration::milliseconds(200);

std::string bar(double share) {
  constexpr std::size_t kWidth = 20;
  const auto filled = static_cast<std::size_t>(share * kWidth);
  std::string text(filled, '=');
  if (filled < kWidth) {
    text += '>';
  }
  text.resize(kWidth, ' ');
  return fmt::format("[{}] {:3.0f}%", text, share * 100);
}

}  // namespace

std::string progress_text(const ProgressState& state, std::size_t columns) {
  std::array<std::string, 4> parts;
  if (state.total_bytes) {
    const double share = *state.total_bytes == 0
                             ? 1
                             : std::min(1.0, static_cast<double>(state.done_bytes) /
                                                 static_cast<double>(*state.total_bytes));
    parts[0] = bar(share);
    parts[1] = fmt::format("{} of {}", size_text(state.done_bytes), size_text(*state.total_bytes));
    if (share > 0 && share < 1) {
      const double left = static_cast<double>(state.elapsed.ns) * (1 - share) / share;
      parts[3] = duration_text(Duration{static_cast<std::int64_t>(left)}) + " left";
    }
  } else {
    parts[0] = size_text(state.done_bytes);
  }
  parts[2] = rate_text(state.done_bytes, state.elapsed);
  std::string text = parts[0];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty()) {
      continue;
    }
    if (text.size() + 2 + parts[i].size() > columns) {
      break;
    }
    text += "  " + parts[i];
  }
  return text.substr(0, columns);
}

Progress::Progress(std::optional<std::uint64_t> total_bytes, Show show)
    : total_bytes_(total_bytes),
      shows_(show == Show::on_terminal && ::isatty(STDERR_FILENO) == 1),
      start_(os::monotonic_now()),
      last_(start_) {}

void Progress::clear() {
  if (std::exchange(drawn_, false)) {
    print_error("\r\x1b[K");
  }
}

void Progress::update(std::uint64_t done_bytes) {
  if (!shows_) {
    return;
  }
  const Instant now = os::monotonic_now();
  if (now - last_ < kRedrawPause) {
    return;
  }
  last_ = now;
  drawn_ = true;
  const std::string text =
      progress_text({done_bytes, total_bytes_, now - start_},
                    std::max<std::size_t>(terminal_size(STDERR_FILENO).columns, 21) - 1);
  print_error("\r" + text + "\x1b[K");
}

}  // namespace aoe::tools
