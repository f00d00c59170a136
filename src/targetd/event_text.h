// The events of a target core as log lines and as control socket events.
#pragma once

#include "target/target_types.h"

#include <nlohmann/json.hpp>

#include <string>

namespace aoe::targetd {

enum class Severity : std::uint8_t { info, warning, error };

struct EventLine {
  Severity severity = Severity::info;
  std::string text;  // "e7.1: store error: io at sector 17 (3 in this burst)"
};

[[nodiscard]] EventLine describe(const target::TargetEvent& event);

// {"type":"store_error","address":"e7.1",...}: what `events.follow` streams.
[[nodiscard]] nlohmann::json to_json(const target::TargetEvent& event);

}  // namespace aoe::targetd
