// The configuration file (TOML 1.0). Its keys are those of config_keys.h; exports are tables
// [[export]].
#pragma once

#include "config/toml_document.h"
#include "targetd/config.h"

#include <string>
#include <string_view>

namespace aoe::targetd {

using LoadedConfig = config::Loaded<TargetConfig>;

// Reads the text of a file called `file_name` in messages, which begin FILE:LINE:COLUMN. A syntax
// error ends the reading; all other errors are collected. `interfaces` and at least one export must
// be there, and address, store and allow in every export. validate() remains to be called.
[[nodiscard]] LoadedConfig parse_config_text(std::string_view text, const std::string& file_name);

// The same for a file. Blocks while reading.
[[nodiscard]] LoadedConfig read_config_file(const std::string& path);

}  // namespace aoe::targetd
