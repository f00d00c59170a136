// Which processors this process may use.
#pragma once

#include <vector>

namespace aoe::os {

// Their numbers, in order; at least one. As of the thread that asks.
[[nodiscard]] std::vector<int> usable_processors();

}  // namespace aoe::os
