// How users name a device: "aoe:e7.1", "aoe://eth1,eth2/e7.1?timeout=30", "e7.1" or "7.1".
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/port_kind.h"
#include "base/result.h"
#include "base/time.h"
#include "client/device.h"
#include "initiator/options.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::client {

using initiator::PathPolicy;

struct DeviceUri {
  DeviceAddress address;
  std::vector<std::string> interfaces;         // empty: not said
  std::optional<std::uint32_t> payload_bytes;  // payload=BYTES, a multiple of 512, 512..130560
  std::optional<Duration> timeout;             // timeout=SECONDS, fractions allowed, above 0
  std::optional<PathPolicy> policy;            // policy=fastest|round-robin|active-passive
  std::optional<std::uint32_t> window;         // window=FRAMES, 1..65535
  std::optional<Access> access;                // mode=read-only|read-write
  // on_path_loss=queue|fail, fast_io_fail=SECONDS, device_loss=SECONDS; see DeviceOptions
  std::optional<initiator::OnPathLoss> on_path_loss;
  std::optional<Duration> fast_io_fail;
  std::optional<Duration> device_loss;
  std::vector<MacAddress> macs;  // mac=MAC[+MAC..]: only these; empty: not said
  std::string serial;            // serial=TEXT: only this disk; empty: not said
  std::optional<initiator::DeviceSettings::Instances> instances;  // instances=one|many
  std::optional<PortKind> port;  // port=auto|packet|xdp: of the interfaces
};

// The count register has 8 bits.
inline constexpr std::uint32_t kPayloadBytesMax = 255 * kSectorBytes;

// "eth1,eth2". Errors: invalid_argument (an empty or overlong name).
[[nodiscard]] Result<std::vector<std::string>> parse_interface_list(std::string_view list);

// True when `text` starts with "aoe:": what tells a device from a file name.
[[nodiscard]] bool has_aoe_scheme(std::string_view text);

// Errors: invalid_argument, naming the part that is wrong and what was expected.
[[nodiscard]] Result<DeviceUri> parse_device_uri(std::string_view text);

}  // namespace aoe::client
