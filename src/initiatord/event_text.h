// The events of an initiator core as log lines and as control socket events.
#pragma once

#include "base/ids.h"
#include "daemon/log.h"
#include "initiator/frame_log.h"
#include "initiator/io_request.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>

namespace aoe::initiatord {

// `interface` is the name of the event's port.
[[nodiscard]] daemon::LogLine describe(const initiator::Event& event, const std::string& interface);

// {"type":"device_up","address":"e7.1",..}: what `events.follow` streams. The time and the sequence
// number are the event log's to add.
[[nodiscard]] nlohmann::json to_json(const initiator::Event& event, const std::string& interface);

// {"type":"request_timed_out",..} with the start of the frame in hexadecimal digits, of a note of
// that kind.
[[nodiscard]] nlohmann::json timed_out_json(const initiator::FrameNote& note,
                                            const std::string& interface);

// {"type":"device_attached","block_device":"/dev/loop0",..}, or "device_detached".
enum class Attachment : std::uint8_t { attached, detached };
[[nodiscard]] nlohmann::json attachment_json(Attachment what, DeviceAddress address,
                                             const std::string& block_device);

}  // namespace aoe::initiatord
