// The events of a target core as log lines and as control socket events.
#pragma once

#include "daemon/log.h"
#include "target/target_types.h"

#include <nlohmann/json.hpp>

#include <string>

namespace aoe::targetd {

[[nodiscard]] daemon::LogLine describe(const target::TargetEvent& event);

// {"type":"store_error","address":"e7.1",...}: what `events.follow` streams.
[[nodiscard]] nlohmann::json to_json(const target::TargetEvent& event);

}  // namespace aoe::targetd
