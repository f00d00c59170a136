// The files of the mounted directory, and the numbers by which the kernel names them.
//
//   discover revalidate flush interfaces err     what the Linux driver has in /dev/etherd
//   e7.1                                         the device, as large as it is
//   e7.1.d/state mac netif payload ..            what the driver has in /sys/block
#pragma once

#include "base/ids.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::fuse {

enum class NodeKind : std::uint8_t { root = 1, control, device, directory, info };

enum class ControlFile : std::uint8_t { discover, revalidate, flush, interfaces, err };

enum class InfoFile : std::uint8_t { state, mac, netif, payload, firmware_version, debug };

inline constexpr std::array kControlFiles{ControlFile::discover, ControlFile::revalidate,
                                          ControlFile::flush, ControlFile::interfaces,
                                          ControlFile::err};
inline constexpr std::array kInfoFiles{
    InfoFile::state, InfoFile::mac, InfoFile::netif, InfoFile::payload, InfoFile::firmware_version,
    InfoFile::debug};

struct Node {
  NodeKind kind = NodeKind::root;
  ControlFile control = ControlFile::discover;  // of control
  InfoFile info = InfoFile::state;              // of info
  DeviceAddress address{};                      // of device, directory and info
  friend bool operator==(const Node&, const Node&) = default;
};

// A number says all there is to know of a node, so nothing has to be remembered of what the kernel
// has looked up. The root's is 1, as the kernel wants it.
[[nodiscard]] std::uint64_t node_id(const Node& node);
// nullopt for a number that node_id() never makes.
[[nodiscard]] std::optional<Node> node_of(std::uint64_t id);

// The node of that name in a directory, as far as the name tells: whether there is such a device is
// another question.
[[nodiscard]] std::optional<Node> child_of(const Node& directory, std::string_view name);

[[nodiscard]] std::string name_of(const Node& node);

[[nodiscard]] bool is_directory(const Node& node);

}  // namespace aoe::fuse
