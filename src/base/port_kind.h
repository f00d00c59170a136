// The kinds of packet ports that a configuration can ask for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aoe {

enum class PortKind : std::uint8_t {
  automatic,  // whichever is known to be fast there and takes nothing from anybody else
  packet,     // a kernel packet socket (net/af_packet_port.h)
  xdp,        // AF_XDP beside a packet socket (net/af_xdp_port.h)
};

inline constexpr std::array kPortKinds{PortKind::automatic, PortKind::packet, PortKind::xdp};
// The words of a configuration and of URIs, in that order.
inline constexpr std::array kPortKindWords{std::string_view("auto"), std::string_view("packet"),
                                           std::string_view("xdp")};

[[nodiscard]] constexpr std::string_view to_string(PortKind kind) {
  return kPortKindWords[static_cast<std::size_t>(kind)];
}

}  // namespace aoe
