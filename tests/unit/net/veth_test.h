// What tests of ports on kernel interfaces share: a veth pair in a network of the test's own,
// numbered frames.
#pragma once

#include "base/buffer_pool.h"
#include "base/bytes.h"
#include "net/port_kinds.h"
#include "support/network_namespace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>

#include <cerrno>
#include <memory>
#include <span>
#include <vector>

namespace aoe::net {

using aoe::testing::run_command;
using aoe::testing::wait_for_carrier;

inline constexpr MacAddress kMacA{{2, 0, 0, 0, 0, 0x0a}};
inline constexpr MacAddress kMacB{{2, 0, 0, 0, 0, 0x0b}};

// Two ports, `a` on va and `b` on vb, joined by a veth pair. Frames carry a number in bytes 36..39.
class VethTest : public ::testing::Test {
 protected:
  void SetUp() override {
    AOE_NEW_NETWORK_OR_SKIP();
    add_pair();
  }

  // For SetUp(): AF_XDP needs privileges that a network namespace of one's own does not give.
  static void skip_without_xdp() {
    if (!has_xdp()) {
      GTEST_SKIP() << "this build has no AF_XDP (libbpf)";
    }
    auto port = open_port(PortKind::xdp, {.interface = "va"});
    if (!port &&
        (port.error().code == Errc::not_permitted || port.error().os_errno == EAFNOSUPPORT)) {
      GTEST_SKIP() << port.error().message;
    }
  }

  static void add_pair() {
    ASSERT_EQ(run_command("ip link add va address 02:00:00:00:00:0a type veth "
                          "peer name vb address 02:00:00:00:00:0b && "
                          "ip link set va up && ip link set vb up"),
              0);
    ASSERT_TRUE(wait_for_carrier("va") && wait_for_carrier("vb"));
  }

  struct FrameSpec {
    std::uint32_t number = 0;
    std::size_t size_bytes = 60;
    MacAddress to = kMacB;
    std::uint8_t flags = 0x10;
    std::uint16_t ether_type = 0x88A2;
  };

  PacketBuffer make_frame(const FrameSpec& spec) {
    PacketBuffer frame = pool_.allocate();
    frame.resize(spec.size_bytes);
    fill_zero(frame.bytes());
    store_mac(frame.bytes(), 0, spec.to);
    store_mac(frame.bytes(), 6, kMacA);
    store_be16(frame.bytes(), 12, spec.ether_type);
    if (spec.size_bytes >= 40) {
      store_u8(frame.bytes(), 14, spec.flags);
      store_be32(frame.bytes(), 36, spec.number);
    }
    return frame;
  }

  void send(PacketPort& port, const FrameSpec& spec) {
    PacketBuffer frame = make_frame(spec);
    port.transmit({&frame, 1});
  }

  void send_numbers(PacketPort& port, std::uint32_t first, std::uint32_t count) {
    std::vector<PacketBuffer> frames;
    frames.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      frames.push_back(make_frame({.number = first + i}));
    }
    port.transmit(frames);
  }

  // Waits until `count` frames are there, or 2 s in which none came. A packet socket is readable
  // for as long as the newest frame is held, so that polling it is no waiting.
  static std::vector<PacketBuffer> receive(PacketPort& port, std::size_t count) {
    std::vector<PacketBuffer> frames(count);
    std::size_t got = 0;
    for (int idle_ms = 0; got < count && idle_ms < 2000;) {
      const std::size_t more = port.receive(std::span(frames).subspan(got));
      got += more;
      if (more != 0) {
        idle_ms = 0;
        continue;
      }
      pollfd wait{port.wait_fd(), POLLIN, 0};
      if (got == 0 && ::poll(&wait, 1, 2000) <= 0) {
        break;
      }
      ::poll(nullptr, 0, 1);
      ++idle_ms;
    }
    frames.resize(got);
    return frames;
  }

  static std::vector<std::uint32_t> numbers(const std::vector<PacketBuffer>& frames) {
    std::vector<std::uint32_t> result;
    result.reserve(frames.size());
    for (const PacketBuffer& frame : frames) {
      result.push_back(load_be32(frame.bytes(), 36));
    }
    return result;
  }

  static bool nothing_to_receive(PacketPort& port) {
    PacketBuffer frame;
    return port.receive({&frame, 1}) == 0;
  }

  BufferPool pool_{{.count = 256, .frame_bytes = 65549}};
};

}  // namespace aoe::net
