// The events of an initiator core as log lines and as control socket events.
#pragma once

#include "daemon/log.h"
#include "initiator/io_request.h"

#include <nlohmann/json.hpp>

#include <string>

namespace aoe::initiatord {

// `interface` is the name of the event's port.
[[nodiscard]] daemon::LogLine describe(const initiator::Event& event, const std::string& interface);

// {"type":"device_up","address":"e7.1",..}: what `events.follow` streams. The time and the sequence
// number are the event log's to add.
[[nodiscard]] nlohmann::json to_json(const initiator::Event& event, const std::string& interface);

}  // namespace aoe::initiatord
