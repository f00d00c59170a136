// The XDP program of an AF_XDP port: which frames go to its sockets and not to the kernel.
#pragma once

#include "base/mac_address.h"
#include "base/result.h"
#include "net/af_packet_port.h"
#include "os/fd.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace aoe::net {

// Takes AoE frames (EtherType 0x88A2) without a VLAN tag that are for our station, are no query or
// announcement (command 1: others on this host wait for those too), pass the filter and are no
// longer than a chunk. Everything else goes on to the kernel, where the port's packet socket sees
// it.
//
// The program is a table of instructions and needs no compiler for BPF and no loader with a
// dispatcher: one program an interface, attached by a link that the kernel takes away with its last
// descriptor, so also when this process dies. It is written by hand because it must run the same
// for every kernel since 5.18, and because there are some thirty instructions.
class XdpProgram {
 public:
  struct Options {
    std::string interface;
    int interface_index = 0;
    FrameFilter filter = FrameFilter::all;  // not remarkable_responses
    std::uint32_t queues = 1;
    // Of find_vlan_function().
    std::int32_t vlan_function = 0;
  };

  // The number of the kernel's function that tells a program of a VLAN tag that the device took off
  // (Linux 6.8); 0 where there is none. Reads all types of the kernel: milliseconds.
  [[nodiscard]] static std::int32_t find_vlan_function();

  // Loads it, attached to nothing. Errors: not_permitted (CAP_BPF and CAP_NET_ADMIN), unsupported
  // (the kernel cannot tell a program of VLAN tags that the device took off, and the device takes
  // them off), io.
  [[nodiscard]] static Result<std::unique_ptr<XdpProgram>> load(const Options& options);

  XdpProgram(const XdpProgram&) = delete;
  XdpProgram& operator=(const XdpProgram&) = delete;
  ~XdpProgram();

  // Frames of that queue go to this AF_XDP socket from now on. Error: io.
  [[nodiscard]] Result<void> add_socket(std::uint32_t queue, int socket);

  struct Rule {
    MacAddress station;
    std::size_t frame_bytes_max = 0;
  };

  // Holds at once, and needs no privileges.
  void set_rule(const Rule& rule);

  // Attaches it in the driver. Errors: busy (there is another program), unsupported (the driver has
  // no native XDP), not_permitted, io.
  [[nodiscard]] Result<void> attach();

  // Frames that it had to leave to the kernel because the driver does not say whether they were
  // tagged.
  [[nodiscard]] std::uint32_t untold_frames() const;

 private:
  struct Shared;

  explicit XdpProgram(const Options& options) : options_(options) {}

  [[nodiscard]] Result<void> make_maps();
  [[nodiscard]] Result<void> load_program();

  Options options_;
  os::Fd sockets_;  // a map: queue -> socket
  os::Fd rule_;     // a map with one value, which is mapped here too
  Shared* shared_ = nullptr;
  os::Fd program_;
  os::Fd link_;
};

// How many queues the interface receives on; 1 where the driver does not say.
[[nodiscard]] std::uint32_t receive_queues(const std::string& interface);

}  // namespace aoe::net
