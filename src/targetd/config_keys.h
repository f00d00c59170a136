// Every key of an export and of the target daemon, once. See config/key.h.
#pragma once

#include "config/key.h"
#include "targetd/config.h"

#include <span>

namespace aoe::targetd {

using ExportKey = config::ConfigKey<ExportConfig>;
using TargetKey = config::ConfigKey<TargetConfig>;

[[nodiscard]] std::span<const ExportKey> export_keys();
[[nodiscard]] std::span<const TargetKey> target_keys();

}  // namespace aoe::targetd
