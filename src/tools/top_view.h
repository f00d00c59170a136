// What `aoe top` shows, as text.
#pragma once

#include "base/time.h"
#include "tools/output.h"

#include <optional>
#include <string>

namespace aoe::tools {

// The daemon's answers to initiator.list and initiator.stats at one moment.
struct TopSample {
  Json list;
  Json stats;
  Instant taken{};
};

// Rates between two samples: a line for every device, and below it one for each of its paths. A
// device that `before` does not know has no rates yet. Whatever is missing in a sample shows as
// "-".
[[nodiscard]] std::string top_text(const std::optional<TopSample>& before, const TopSample& now);

}  // namespace aoe::tools
