#include "target/access_list.h"

#include <algorithm>

namespace aoe::target {
namespace {

std::size_t entries_in_frame(std::size_t mtu_bytes, std::size_t header_bytes,
                             std::size_t entry_bytes) {
  const std::size_t frame_bytes = mtu_bytes + protocol::kEthernetHeaderBytes;
  if (frame_bytes < header_bytes) {
    return 0;
  }
  return std::min((frame_bytes - header_bytes) / entry_bytes, protocol::kMacListCountMax);
}

}  // namespace

bool contains(std::span<const MacAddress> list, const MacAddress& mac) {
  return std::find(list.begin(), list.end(), mac) != list.end();
}

bool may_use(const ExportSettings& settings, std::span<const MacAddress> mask,
             const MacAddress& source) {
  const bool is_admin =
      settings.remote_admin == RemoteAdmin::listed && contains(settings.admins, source);
  const bool is_allowed =
      settings.allow_policy == AllowPolicy::any || contains(settings.allow, source) || is_admin;
  return is_allowed && (mask.empty() || is_admin || contains(mask, source));
}

bool may_administrate(const ExportSettings& settings, const MacAddress& source) {
  switch (settings.remote_admin) {
    case RemoteAdmin::initiators:
      return true;
    case RemoteAdmin::none:
      return false;
    case RemoteAdmin::listed:
      return contains(settings.admins, source);
  }
  return false;
}

MaskEdit edit_mask(const protocol::MaskFrame& request, std::size_t entries_max,
                   std::vector<MacAddress>& mask) {
  for (std::uint8_t i = 0; i < request.directive_count; ++i) {
    const protocol::MaskDirective directive = request.directive(i);
    switch (static_cast<protocol::MaskAction>(directive.action)) {
      case protocol::MaskAction::none:
        continue;
      case protocol::MaskAction::add:
        if (directive.mac.is_group() || directive.mac.is_zero()) {
          return {protocol::MaskError::bad_directive, i};
        }
        if (!contains(mask, directive.mac)) {
          if (mask.size() >= entries_max) {
            return {protocol::MaskError::list_full, i};
          }
          mask.push_back(directive.mac);
        }
        continue;
      case protocol::MaskAction::remove:
        std::erase(mask, directive.mac);
        continue;
    }
    return {protocol::MaskError::bad_directive, i};
  }
  return {};
}

std::size_t mask_entries_max(std::size_t mtu_bytes) {
  return entries_in_frame(mtu_bytes, protocol::kMaskHeaderBytes, protocol::kMaskDirectiveBytes);
}

std::size_t reservation_entries_max(std::size_t mtu_bytes) {
  return entries_in_frame(mtu_bytes, protocol::kReserveHeaderBytes, 6);
}

}  // namespace aoe::target
