// What the control socket shows of devices. Names and units are part of its contract: fields may be
// added, none may change its meaning.
#pragma once

#include "base/time.h"
#include "client/core_runner.h"
#include "control/message.h"
#include "initiator/options.h"
#include "initiatord/device_keeper.h"

namespace aoe::initiatord {

// The state of a device as one word: "up", "down" (it was up), "searching" (nothing answered yet),
// "quarantined" (what answers is not what it should be), "disabled".
[[nodiscard]] const char* state_name(const KeptDevice& device, const initiator::Device* view);

struct DeviceView {
  KeptDevice& device;
  const initiator::Device* open;  // nullptr while it is disabled
  const client::CoreRunner& runner;
  Instant now;
};

// A line of a list.
[[nodiscard]] control::Json summary_json(const DeviceView& view);
// All there is: the summary, identity, settings and paths.
[[nodiscard]] control::Json show_json(const DeviceView& view);
// An array, one object a path.
[[nodiscard]] control::Json paths_json(const DeviceView& view);
[[nodiscard]] control::Json stats_json(const DeviceView& view);
[[nodiscard]] control::Json core_json(const initiator::CoreStats& stats);

}  // namespace aoe::initiatord
