// What aoe-sancheck prints of what it found.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace aoe::compat::aoetools {

// One target as one interface reaches it.
struct SanPath {
  DeviceAddress address{};
  MacAddress mac{};
  std::uint32_t sectors_offered = 0;  // of its config reply, as sent
  std::uint32_t sectors_passed = 0;   // the largest frame that was answered; 0: none
};

struct SanInterface {
  std::string name;
  bool up = false;
  std::size_t mtu_bytes = 0;  // 0: it could not be used
  std::string pci_id;         // "8086:10d3"; empty for what is no PCI device
  std::vector<SanPath> paths{};
};

// Sectors in the largest frame that aoe-sancheck tries: 36 bytes are not data.
[[nodiscard]] std::uint32_t sectors_tried(std::size_t mtu_bytes);

struct SanReport {
  std::string text;
  std::uint32_t devices = 0;
  std::uint32_t advices = 0;  // lines that say what is not as it could be
};

[[nodiscard]] SanReport san_report(std::vector<SanInterface> interfaces);

// What -v adds: every path of each interface.
[[nodiscard]] std::string path_list(std::vector<SanInterface> interfaces);

}  // namespace aoe::compat::aoetools
