#include "support/lossbridge/schedule.h"

#include "os/error_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>

namespace aoe::lossbridge {

Result<std::vector<ScheduledCommand>> parse_schedule(std::string_view text) {
  std::vector<ScheduledCommand> schedule;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') {
      continue;
    }
    std::istringstream words(line);
    std::int64_t after_ms = 0;
    std::string command;
    if (!(words >> after_ms) || after_ms < 0 || !std::getline(words >> std::ws, command)) {
      return fail_with(Errc::invalid_argument, 0,
                       fmt::format("schedule: '{}': expected MILLISECONDS COMMAND", line));
    }
    schedule.push_back({Duration::milliseconds(after_ms), command});
  }
  std::stable_sort(schedule.begin(), schedule.end(),
                   [](const auto& a, const auto& b) { return a.after_start < b.after_start; });
  return schedule;
}

Result<std::vector<ScheduledCommand>> read_schedule(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return fail(os::os_error(errno, fmt::format("{}: open schedule", path)));
  }
  std::ostringstream text;
  text << file.rdbuf();
  return parse_schedule(text.str());
}

}  // namespace aoe::lossbridge
