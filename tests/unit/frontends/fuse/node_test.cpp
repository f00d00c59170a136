#include "frontends/fuse/node.h"

#include <gtest/gtest.h>

#include <vector>

namespace aoe::fuse {
namespace {

constexpr DeviceAddress kE71{Shelf{7}, Slot{1}};

std::vector<Node> all_nodes() {
  std::vector<Node> nodes{Node{}};
  for (const ControlFile control : kControlFiles) {
    nodes.push_back({.kind = NodeKind::control, .control = control});
  }
  for (const DeviceAddress address :
       {kE71, DeviceAddress{Shelf{0}, Slot{0}}, DeviceAddress{Shelf{65534}, Slot{254}}}) {
    nodes.push_back({.kind = NodeKind::device, .address = address});
    nodes.push_back({.kind = NodeKind::directory, .address = address});
    for (const InfoFile info : kInfoFiles) {
      nodes.push_back({.kind = NodeKind::info, .info = info, .address = address});
    }
  }
  return nodes;
}

TEST(Node, NumbersAndNodesAreOneToOne) {
  const std::vector<Node> nodes = all_nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    EXPECT_EQ(node_of(node_id(nodes[i])), nodes[i]);
    for (std::size_t k = 0; k < i; ++k) {
      EXPECT_NE(node_id(nodes[i]), node_id(nodes[k]));
    }
  }
  EXPECT_EQ(node_id(Node{}), 1U) << "the kernel's number of the root";
}

TEST(Node, NumbersThatNobodyMadeAreNoNodes) {
  for (const std::uint64_t id : {0ULL, 2ULL, 1ULL << 40U, 7ULL << 40U, 2ULL << 40U | 9ULL << 32U,
                                 5ULL << 40U | 6ULL << 32U, ~0ULL, 3ULL << 40U | 1ULL << 32U}) {
    EXPECT_EQ(node_of(id), std::nullopt) << id;
  }
}

TEST(Node, NamesLeadToNodesAndBack) {
  for (const Node& node : all_nodes()) {
    if (node.kind == NodeKind::root) {
      continue;
    }
    Node parent;
    if (node.kind == NodeKind::info) {
      parent = {.kind = NodeKind::directory, .address = node.address};
    }
    EXPECT_EQ(child_of(parent, name_of(node)), node) << name_of(node);
  }
  const auto directory = child_of(Node{}, "e7.1.d");
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->kind, NodeKind::directory);
  EXPECT_EQ(directory->address, kE71);
}

TEST(Node, OnlyTheListedNameIsAName) {
  for (const char* name :
       {"7.1", "e07.1", "e7.01", "e7.1.", "e7", "e7.1.d.d", "state", "", "e65535.1", "discover "}) {
    EXPECT_EQ(child_of(Node{}, name), std::nullopt) << name;
  }
  EXPECT_EQ(child_of({.kind = NodeKind::directory, .address = kE71}, "discover"), std::nullopt);
  EXPECT_EQ(child_of({.kind = NodeKind::device, .address = kE71}, "state"), std::nullopt);
}

}  // namespace
}  // namespace aoe::fuse
