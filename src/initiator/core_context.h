// What the parts of a core share.
#pragma once

#include "base/buffer_pool.h"
#include "base/port_info.h"
#include "initiator/device.h"
#include "initiator/event_queue.h"
#include "initiator/exchange_table.h"
#include "initiator/frame_log.h"
#include "initiator/options.h"

#include <optional>
#include <vector>

namespace aoe::initiator {

// The open devices of a core, by DeviceId; empty slots are free.
using DeviceTable = std::vector<std::optional<Device>>;
// The ports of a core, by PortId.
using PortTable = std::vector<std::optional<PortInfo>>;

// Owned by the core; outlives the parts.
struct CoreContext {
  const CoreOptions& options;
  BufferPool& pool;
  PortTable& ports;
  DeviceTable& devices;
  ExchangeTable& exchanges;
  EventQueue& events;
  CoreStats& stats;
  FrameLog& frame_log;
  std::uint64_t instance = 0;  // of this core, random: by it targets know our sessions
};

}  // namespace aoe::initiator
