// The configuration file of the initiator daemon (TOML 1.0). Its keys are those of config_keys.h;
// devices are tables [[device]].
#pragma once

#include "config/diagnostics.h"
#include "config/reload_plan.h"
#include "config/toml_document.h"
#include "initiatord/config.h"

#include <string>
#include <string_view>

namespace aoe::initiatord {

using LoadedConfig = config::Loaded<InitiatorConfig>;

// Reads the text of a file called `file_name` in messages, which begin FILE:LINE:COLUMN. A syntax
// error ends the reading; all other errors are collected. Every device needs its address. That
// interfaces are there is for validate() to see: the command line may give them.
[[nodiscard]] LoadedConfig parse_config_text(std::string_view text, const std::string& file_name);

// The same for a file. Blocks while reading.
[[nodiscard]] LoadedConfig read_config_file(const std::string& path);

// Errors: no interface, "auto" beside other names, an address used twice, a group without a user,
// only configured devices and none configured.
[[nodiscard]] config::Diagnostics validate(const InitiatorConfig& config);

// Every key with its value, defaults included: reading the text gives an equal configuration, and
// equal configurations give equal texts.
[[nodiscard]] std::string dump(const InitiatorConfig& config);

// What lies between two valid configurations.
[[nodiscard]] config::ReloadPlan diff(const config::ReloadPair<InitiatorConfig>& configs);

}  // namespace aoe::initiatord
