// One export as text: SHELF.SLOT=STORE[,KEY=VALUE..], the argument of `-e` and of
// `aoe target export`.
#pragma once

#include "config/diagnostics.h"
#include "targetd/config.h"

#include <optional>
#include <string>
#include <string_view>

namespace aoe::targetd {

struct ExportSpec {
  ExportConfig config;       // its origin is "SOURCE TEXT"
  bool allow_given = false;  // false: `allow` is the default, any
};

// `source` says where the text came from ("-e") and begins every message. Commas separate, and the
// first '=' of a part ends its key: STORE and values may hold '=' as it is, a comma as `\,` and a
// backslash before a comma as `\\`; every other backslash stands for itself. All errors of the text
// are reported; nothing is returned only when the address is unusable.
[[nodiscard]] std::optional<ExportSpec> parse_export_spec(std::string_view text,
                                                          std::string_view source,
                                                          config::Diagnostics& diagnostics);

}  // namespace aoe::targetd
