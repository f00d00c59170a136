// The configuration file (TOML 1.0). Its keys are those of config_keys.h; exports are tables
// [[export]].
#pragma once

#include "targetd/config.h"
#include "targetd/diagnostics.h"

#include <string>
#include <string_view>

namespace aoe::targetd {

// A configuration and what was found on the way. With errors the configuration holds what could be
// read, good enough for further checks and for nothing else.
struct LoadedConfig {
  TargetConfig config;
  Diagnostics diagnostics;
};

inline constexpr std::size_t kConfigFileBytesMax = std::size_t{16} << 20U;

// Reads the text of a file called `file_name` in messages, which begin FILE:LINE:COLUMN. A syntax
// error ends the reading; all other errors are collected. `interfaces` and at least one export must
// be there, and address, store and allow in every export. validate() remains to be called.
[[nodiscard]] LoadedConfig parse_config_text(std::string_view text, const std::string& file_name);

// The same for a file of at most kConfigFileBytesMax bytes. Blocks while reading.
[[nodiscard]] LoadedConfig read_config_file(const std::string& path);

}  // namespace aoe::targetd
