#include "frontends/fuse/node.h"

#include <cstddef>

namespace aoe::fuse {
namespace {

constexpr std::uint64_t kRootId = 1;
constexpr unsigned kKindShift = 40;
constexpr unsigned kFileShift = 32;
constexpr std::string_view kDirectorySuffix = ".d";

constexpr std::array<std::string_view, kControlFiles.size()> kControlNames{
    "discover", "revalidate", "flush", "interfaces", "err"};
constexpr std::array<std::string_view, kInfoFiles.size()> kInfoNames{
    "state", "mac", "netif", "payload", "firmware-version", "debug"};

template <class File, std::size_t kCount>
std::optional<File> file_called(const std::array<File, kCount>& files,
                                const std::array<std::string_view, kCount>& names,
                                std::string_view name) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (names[i] == name) {
      return files[i];
    }
  }
  return std::nullopt;
}

// Exactly the name that we list: "e7.1", not "7.1" and not "e07.1".
std::optional<DeviceAddress> device_called(std::string_view name) {
  const auto address = parse_device_address(name);
  return address && to_string(*address) == name ? address : std::nullopt;
}

}  // namespace

std::uint64_t node_id(const Node& node) {
  std::uint64_t file = 0;
  switch (node.kind) {
    case NodeKind::root:
      return kRootId;
    case NodeKind::control:
      file = static_cast<std::uint64_t>(node.control);
      break;
    case NodeKind::info:
      file = static_cast<std::uint64_t>(node.info);
      break;
    case NodeKind::device:
    case NodeKind::directory:
      break;
  }
  return static_cast<std::uint64_t>(node.kind) << kKindShift | file << kFileShift |
         std::uint64_t{node.address.shelf.value} << 8U | node.address.slot.value;
}

std::optional<Node> node_of(std::uint64_t id) {
  if (id == kRootId) {
    return Node{};
  }
  const std::uint64_t kind = id >> kKindShift;
  const std::uint64_t file = id >> kFileShift & 0xFFU;
  Node node;
  node.address = {Shelf{static_cast<std::uint16_t>(id >> 8U)}, Slot{static_cast<std::uint8_t>(id)}};
  switch (kind) {
    case static_cast<std::uint64_t>(NodeKind::control):
      if (file >= kControlFiles.size()) {
        return std::nullopt;
      }
      node.kind = NodeKind::control;
      node.control = kControlFiles[file];
      break;
    case static_cast<std::uint64_t>(NodeKind::device):
      node.kind = NodeKind::device;
      break;
    case static_cast<std::uint64_t>(NodeKind::directory):
      node.kind = NodeKind::directory;
      break;
    case static_cast<std::uint64_t>(NodeKind::info):
      if (file >= kInfoFiles.size()) {
        return std::nullopt;
      }
      node.kind = NodeKind::info;
      node.info = kInfoFiles[file];
      break;
    default:
      return std::nullopt;
  }
  return node_id(node) == id ? std::optional(node) : std::nullopt;
}

std::optional<Node> child_of(const Node& directory, std::string_view name) {
  Node node;
  if (directory.kind == NodeKind::directory) {
    const auto info = file_called(kInfoFiles, kInfoNames, name);
    if (!info) {
      return std::nullopt;
    }
    node.kind = NodeKind::info;
    node.info = *info;
    node.address = directory.address;
    return node;
  }
  if (directory.kind != NodeKind::root) {
    return std::nullopt;
  }
  if (const auto control = file_called(kControlFiles, kControlNames, name)) {
    node.kind = NodeKind::control;
    node.control = *control;
    return node;
  }
  node.kind = NodeKind::device;
  if (name.ends_with(kDirectorySuffix)) {
    node.kind = NodeKind::directory;
    name.remove_suffix(kDirectorySuffix.size());
  }
  const auto address = device_called(name);
  if (!address) {
    return std::nullopt;
  }
  node.address = *address;
  return node;
}

std::string name_of(const Node& node) {
  switch (node.kind) {
    case NodeKind::root:
      return ".";
    case NodeKind::control:
      return std::string(kControlNames[static_cast<std::size_t>(node.control)]);
    case NodeKind::info:
      return std::string(kInfoNames[static_cast<std::size_t>(node.info)]);
    case NodeKind::device:
      return to_string(node.address);
    case NodeKind::directory:
      return to_string(node.address) + std::string(kDirectorySuffix);
  }
  return {};
}

bool is_directory(const Node& node) {
  return node.kind == NodeKind::root || node.kind == NodeKind::directory;
}

}  // namespace aoe::fuse
