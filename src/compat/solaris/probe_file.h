// How aoemon learns which check-ins `aoectl probe` asked for: the daemon asks for some all the
// time, and what those find must stay disabled.
#pragma once

#include "base/result.h"
#include "compat/solaris/target_address.h"

#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat::solaris {

// In the directory of the channels.
inline constexpr std::string_view kProbeFile = "probe";

// A pattern a line, as it is typed: "0//2", or "//" for all.
[[nodiscard]] std::string probe_text(const std::vector<AddressPattern>& patterns);

// Lines that are no patterns are left out.
[[nodiscard]] std::vector<AddressPattern> parse_probe(std::string_view text);

}  // namespace aoe::compat::solaris
