// Commands that happen at times, as text and as a list.
#pragma once

#include "base/result.h"
#include "base/time.h"

#include <string>
#include <string_view>
#include <vector>

namespace aoe::lossbridge {

struct ScheduledCommand {
  Duration after_start;
  std::string line;
};

// One command a line, `MILLISECONDS COMMAND`; empty lines and lines that begin with # are left out.
// Sorted by time; commands of the same time keep their order.
// Error: invalid_argument, with the line.
[[nodiscard]] Result<std::vector<ScheduledCommand>> parse_schedule(std::string_view text);

// Error: also what the system says.
[[nodiscard]] Result<std::vector<ScheduledCommand>> read_schedule(const std::string& path);

}  // namespace aoe::lossbridge
