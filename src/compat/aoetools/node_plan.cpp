#include "compat/aoetools/node_plan.h"

#include <fmt/format.h>

namespace aoe::compat::aoetools {

std::vector<DeviceNode> control_nodes() {
  using Kind = DeviceNode::Kind;
  return {{"err", Kind::character, 0400, 2},
          {"discover", Kind::character, 0200, 3},
          {"interfaces", Kind::character, 0200, 4},
          {"revalidate", Kind::character, 0200, 5},
          {"flush", Kind::character, 0200, 6}};
}

std::vector<DeviceNode> shelf_nodes(unsigned shelf, unsigned partitions) {
  std::vector<DeviceNode> nodes;
  unsigned minor = kSlotsPerShelf * shelf * partitions;
  for (unsigned slot = 0; slot < kSlotsPerShelf; ++slot) {
    for (unsigned partition = 0; partition < partitions; ++partition) {
      nodes.push_back({.name = fmt::format("e{}.{}", shelf, slot) +
                               (partition == 0 ? "" : fmt::format("p{}", partition)),
                       .kind = DeviceNode::Kind::block,
                       .mode = 0660,
                       .minor = minor++});
    }
  }
  return nodes;
}

}  // namespace aoe::compat::aoetools
