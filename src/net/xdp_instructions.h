// The instructions of the XDP program.
//
// What xdp_instructions.cpp makes may also be used under the 2-clause BSD license or the GPL,
// version 2, as the program tells the kernel that loads it.
#pragma once

#include "base/mac_address.h"
#include "net/af_packet_port.h"

#include <linux/bpf.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace aoe::net {

// What the instructions read while they run, in memory that they share with us.
struct XdpRuleValue {
  std::array<std::uint8_t, 6> station{};
  std::uint16_t unused = 0;
  std::uint32_t frame_bytes_max = 0;
  std::uint32_t trusts_device = 0;  // what the device does not say is no tag
  std::uint32_t untold_frames = 0;  // counted where it does not say and is not trusted
};

class XdpInstructions {
 public:
  struct Parts {
    FrameFilter filter = FrameFilter::all;
    int sockets_fd = -1;
    int rule_fd = -1;
    std::int32_t vlan_function = 0;  // its number in the kernel's types; 0: there is none
  };

  explicit XdpInstructions(const Parts& parts);

  [[nodiscard]] bool knows_tags() const { return parts_.vlan_function != 0; }

  // The same without the question for a tag.
  void forget_tags();

  [[nodiscard]] const bpf_insn* begin() const { return code_.data(); }

  [[nodiscard]] std::size_t count() const { return code_.size(); }

 private:
  void build();

  void add(const bpf_insn& instruction) { code_.push_back(instruction); }

  void add_jump_to_pass(const bpf_insn& instruction);
  void add_tag_question();
  void add_filter();

  Parts parts_;
  std::vector<bpf_insn> code_;
  std::vector<std::size_t> to_pass_;  // jumps to the end, filled in there
};

}  // namespace aoe::net
