// Which frames the kernel lets through to a packet socket: the others cost neither a wake-up nor a
// ring slot.
#pragma once

#include <cstdint>

namespace aoe::net {

// Told by the response flag (byte 14, 0x08; AoEr11 2) and the command (byte 19).
enum class FrameFilter : std::uint8_t {
  all,
  requests,
  responses,
  // Requests and the responses of command 1: a target hears who else announces its address.
  requests_and_announcements,
  // Responses, but not those of command 0, version 1, that tell of no error (byte 14, 0x04; ATA
  // status, byte 27): who watches a network for trouble need not see the data of others. Frames
  // that end before byte 36 are let through.
  remarkable_responses,
};

// One of several sockets that divide the frames of an interface by the address in them (shelf in
// bytes 16 and 17, slot in byte 18; AoEr11 2). A frame for all shelves or all slots is for each of
// them.
//
// Every socket has its own filter, and they are no fanout group (PACKET_FANOUT), which would cost
// one look a frame instead of one for each socket: a socket in a group cannot be bound again when
// its interface comes back (packet_do_bind() says EINVAL), moves to another place in the group when
// its ring is exchanged, so that frames would go to the wrong one, and a frame for everybody goes
// to one of them.
struct AddressShare {
  std::uint16_t index = 0;
  std::uint16_t count = 1;  // 1: all frames
};

// Whose frames these are: neighbours of a shelf go to different ones, and so do equal slots of
// neighbouring shelves.
constexpr std::uint16_t share_of(std::uint16_t shelf, std::uint8_t slot, std::uint16_t count) {
  return static_cast<std::uint16_t>((unsigned{shelf} + slot) % count);
}

// Puts the filter on a packet socket, in place of the one that it had. Returns what setsockopt()
// does: 0, or -1 and errno.
[[nodiscard]] int attach_frame_filter(int fd, FrameFilter filter, AddressShare share);

}  // namespace aoe::net
