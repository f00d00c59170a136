// The static device nodes of drivers without dynamic minor numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace aoe::compat::aoetools {

inline constexpr unsigned kAoeMajor = 152;
inline constexpr unsigned kSlotsPerShelf = 16;

struct DeviceNode {
  enum class Kind : std::uint8_t { character, block };
  std::string name;
  Kind kind = Kind::block;
  unsigned mode = 0660;
  unsigned minor = 0;
  friend bool operator==(const DeviceNode&, const DeviceNode&) = default;
};

// err, discover, interfaces, revalidate, flush.
[[nodiscard]] std::vector<DeviceNode> control_nodes();

// e7.0 to e7.15, each with its partitions e7.0p1 ..; `partitions` counts the whole disk.
[[nodiscard]] std::vector<DeviceNode> shelf_nodes(unsigned shelf, unsigned partitions);

}  // namespace aoe::compat::aoetools
