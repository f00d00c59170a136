// A configuration as the text of a configuration file.
#pragma once

#include "targetd/config.h"

#include <string>

namespace aoe::targetd {

// Every key with its value, defaults included, in the order of config_keys.h: reading the text
// gives an equal configuration, and equal configurations give equal texts (--dump-config, tests).
[[nodiscard]] std::string dump(const TargetConfig& config);

// One [[export]] of it.
[[nodiscard]] std::string dump(const ExportConfig& config);

}  // namespace aoe::targetd
