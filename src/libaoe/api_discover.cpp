// The call that asks the network who is there.
#include "aoe/aoe.h"
#include "client/session.h"
#include "client/uri.h"
#include "libaoe/call.h"
#include "libaoe/network.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using aoe::Duration;
using aoe::Result;
using aoe::client::DiscoveredTarget;
using aoe::client::DiscoverOptions;
using aoe::libaoe::require;
using aoe::libaoe::run_call;

namespace {

aoe_target describe(const DiscoveredTarget& found) {
  aoe_target target{};
  target.shelf = found.address.shelf.value;
  target.slot = found.address.slot.value;
  target.sector_count = found.sector_count;
  target.buffer_count = found.buffer_count;
  target.firmware_version = found.firmware_version;
  target.interface = found.interface.c_str();
  std::copy(found.mac.octets.begin(), found.mac.octets.end(), target.mac);
  target.config_length = static_cast<std::uint16_t>(found.config_string.size());
  target.config = found.config_string.c_str();
  return target;
}

Result<std::vector<DiscoveredTarget>> discover(const char* interfaces, const char* device,
                                               Duration wait) {
  DiscoverOptions options{.address = {}, .wait = wait};
  AOE_TRY_ASSIGN(const auto names, aoe::client::parse_interface_list(interfaces));
  if (device != nullptr) {
    AOE_TRY_ASSIGN(const auto uri, aoe::client::parse_device_uri(device));
    options.address = uri.address;
  }
  AOE_TRY_ASSIGN(const auto session, aoe::libaoe::open_session(names, aoe::PortKind::automatic, 1));
  return session->discover(options);
}

}  // namespace

int aoe_discover(const char* interfaces, const char* device, std::uint32_t wait_ms,
                 aoe_target_callback callback, void* user_data) {
  return run_call("aoe_discover", [&]() -> Result<int> {
    AOE_TRY(require(interfaces, "interfaces"));
    AOE_TRY(require(callback, "callback"));
    AOE_TRY_ASSIGN(const auto targets,
                   discover(interfaces, device, Duration::milliseconds(wait_ms)));
    int calls = 0;
    for (const DiscoveredTarget& found : targets) {
      const aoe_target target = describe(found);
      ++calls;
      if (callback(user_data, &target) != 0) {
        break;
      }
    }
    return calls;
  });
}
