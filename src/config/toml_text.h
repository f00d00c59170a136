// Values as TOML writes them.
#pragma once

#include "base/mac_address.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::config {

// A value as TOML; nothing where a key is unset and has no default to show.
using Printed = std::optional<std::string>;

// A string of TOML: in double quotes, with escapes. `text` is UTF-8 (read_text sees to it).
[[nodiscard]] std::string toml_string(std::string_view text);

// Lists of strings.
[[nodiscard]] std::string toml_names(const std::vector<std::string>& names);
[[nodiscard]] std::string toml_macs(const std::vector<MacAddress>& macs);

[[nodiscard]] Printed toml_unless_empty(const std::string& text);

}  // namespace aoe::config
