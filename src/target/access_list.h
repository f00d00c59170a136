// Who may use an export and who may change its state by wire: the configured lists, and the mask
// that initiators edit themselves (AoEr11 3.3).
//
// A MAC address is not an identity: these lists prevent accidents and zone a network of honest
// hosts (see SECURITY.md).
#pragma once

#include "base/mac_address.h"
#include "protocol/aoe_mac_lists.h"
#include "target/target_types.h"

#include <cstdint>
#include <span>
#include <vector>

namespace aoe::target {

[[nodiscard]] bool contains(std::span<const MacAddress> list, const MacAddress& mac);

// Whether frames from `source` are looked at at all. A non-empty mask hides the export from
// everybody else, whatever the command; configured administrators pass it, so that a mask that
// somebody mistyped can be mended without a restart (vblade and ggaoed lock everybody out).
[[nodiscard]] bool may_use(const ExportSettings& settings, std::span<const MacAddress> mask,
                           const MacAddress& source);

[[nodiscard]] bool may_administrate(const ExportSettings& settings, const MacAddress& source);

struct MaskEdit {
  protocol::MaskError error = protocol::MaskError::none;
  std::uint8_t failed_index = 0;
};

// Applies the directives to `mask` in order; the first bad one stops the edit, those before it stay
// applied (vblade's and ggaoed's behaviour). Adding a present address and removing an absent one
// succeed. `entries_max` keeps the list small enough for one reply frame.
[[nodiscard]] MaskEdit edit_mask(const protocol::MaskFrame& request, std::size_t entries_max,
                                 std::vector<MacAddress>& mask);

// How many entries of each list a reply can carry on an interface with this MTU.
[[nodiscard]] std::size_t mask_entries_max(std::size_t mtu_bytes);
[[nodiscard]] std::size_t reservation_entries_max(std::size_t mtu_bytes);

}  // namespace aoe::target
