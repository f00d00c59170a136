#include "net/xdp_instructions.h"

#include <arpa/inet.h>

#include <cerrno>

namespace aoe::net {
namespace {

// Registers keep what a call leaves alone from 6 on; 1 to 5 are arguments, 0 the result.
using Register = std::uint8_t;
constexpr Register kResult = 0;
constexpr Register kFrame = 2;
constexpr Register kScratch = 4;
constexpr Register kContext = 6;
constexpr Register kRule = 7;
constexpr Register kStack = 10;

constexpr std::int32_t kHeadBytes = 20;  // up to and with the command (AoEr11 2)
constexpr std::int16_t kEtherTypeAt = 12;
constexpr std::int16_t kFlagsAt = 14;
constexpr std::int16_t kCommandAt = 19;
constexpr std::int32_t kResponseFlag = 0x08;
constexpr std::int32_t kQueryConfig = 1;

// Fields of xdp_md and of XdpRuleValue.
constexpr std::int16_t kDataAt = offsetof(xdp_md, data);
constexpr std::int16_t kDataEndAt = offsetof(xdp_md, data_end);
constexpr std::int16_t kQueueAt = offsetof(xdp_md, rx_queue_index);
constexpr std::int16_t kStationAt = offsetof(XdpRuleValue, station);
constexpr std::int16_t kFrameBytesMaxAt = offsetof(XdpRuleValue, frame_bytes_max);
constexpr std::int16_t kTrustsDeviceAt = offsetof(XdpRuleValue, trusts_device);
constexpr std::int16_t kUntoldFramesAt = offsetof(XdpRuleValue, untold_frames);

bpf_insn make(std::uint8_t code, Register to, Register from, std::int16_t at, std::int32_t value) {
  bpf_insn instruction{};
  instruction.code = code;
  instruction.dst_reg = to & 0xFU;
  instruction.src_reg = from & 0xFU;
  instruction.off = at;
  instruction.imm = value;
  return instruction;
}

bpf_insn copy(Register to, Register from) {
  return make(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

bpf_insn set(Register to, std::int32_t value) {
  return make(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}

bpf_insn add_to(Register to, std::int32_t value) {
  return make(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value);
}

// `size`: BPF_B, BPF_H or BPF_W.
bpf_insn load(std::uint8_t size, Register to, Register from, std::int16_t at) {
  return make(static_cast<std::uint8_t>(BPF_LDX | BPF_MEM | size), to, from, at, 0);
}

bpf_insn call(std::int32_t helper) {
  return make(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

bpf_insn jump_if(std::uint8_t condition, Register left, std::int32_t right, std::int16_t over = 0) {
  return make(static_cast<std::uint8_t>(BPF_JMP | condition | BPF_K), left, 0, over, right);
}

// Of the lower half: what functions of the kernel that give an int leave in the upper is not
// defined.
bpf_insn jump_if_int(Register left, std::int32_t right, std::int16_t over = 0) {
  return make(BPF_JMP32 | BPF_JEQ | BPF_K, left, 0, over, right);
}

bpf_insn jump_if_register(std::uint8_t condition, Register left, Register right) {
  return make(static_cast<std::uint8_t>(BPF_JMP | condition | BPF_X), left, right, 0, 0);
}

constexpr bpf_insn kSecondHalf{};  // of a 64-bit constant

}  // namespace

XdpInstructions::XdpInstructions(const Parts& parts) : parts_(parts) {
  build();
}

void XdpInstructions::forget_tags() {
  parts_.vlan_function = 0;
  build();
}

void XdpInstructions::add_jump_to_pass(const bpf_insn& instruction) {
  to_pass_.push_back(code_.size());
  add(instruction);
}

void XdpInstructions::build() {
  code_.clear();
  to_pass_.clear();
  add(copy(kContext, 1));
  add(make(BPF_LD | BPF_DW | BPF_IMM, kRule, BPF_PSEUDO_MAP_VALUE, 0, parts_.rule_fd));
  add(kSecondHalf);
  if (knows_tags()) {
    add_tag_question();
  }
  // At least a header.
  add(load(BPF_W, kFrame, kContext, kDataAt));
  add(load(BPF_W, 3, kContext, kDataEndAt));
  add(copy(kScratch, kFrame));
  add(add_to(kScratch, kHeadBytes));
  add_jump_to_pass(jump_if_register(BPF_JGT, kScratch, 3));
  // To our station, which is on no boundary of four bytes: both sides have the order of memory.
  add(load(BPF_W, kResult, kFrame, 0));
  add(load(BPF_W, kScratch, kRule, kStationAt));
  add_jump_to_pass(jump_if_register(BPF_JNE, kResult, kScratch));
  add(load(BPF_H, kResult, kFrame, 4));
  add(load(BPF_H, kScratch, kRule, kStationAt + 4));
  add_jump_to_pass(jump_if_register(BPF_JNE, kResult, kScratch));
  // AoE, without a tag between.
  add(load(BPF_H, kResult, kFrame, kEtherTypeAt));
  add_jump_to_pass(jump_if(BPF_JNE, kResult, htons(kAoeEtherType)));
  add_filter();
  // No longer than a chunk takes.
  add(load(BPF_W, kRule, kRule, kFrameBytesMaxAt));
  add(copy(1, kContext));
  add(call(BPF_FUNC_xdp_get_buff_len));
  add_jump_to_pass(jump_if_register(BPF_JGT, kResult, kRule));
  // To the socket of its queue; to the kernel where there is none.
  add(make(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, parts_.sockets_fd));
  add(kSecondHalf);
  add(load(BPF_W, 2, kContext, kQueueAt));
  add(set(3, XDP_PASS));
  add(call(BPF_FUNC_redirect_map));
  add(make(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
  for (const std::size_t jump : to_pass_) {
    code_[jump].off = static_cast<std::int16_t>(code_.size() - jump - 1);
  }
  add(set(kResult, XDP_PASS));
  add(make(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

// Devices take tags off frames before the program sees them, veth as well. The kernel's answer: 0
// there was one, ENODATA there was none, EOPNOTSUPP the driver does not say.
void XdpInstructions::add_tag_question() {
  add(make(BPF_ST | BPF_MEM | BPF_DW, kStack, 0, -8, 0));
  add(copy(1, kContext));
  add(copy(2, kStack));
  add(add_to(2, -8));
  add(copy(3, kStack));
  add(add_to(3, -4));
  add(make(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, parts_.vlan_function));
  add_jump_to_pass(jump_if_int(kResult, 0));
  add(jump_if_int(kResult, -ENODATA, 5));
  add(load(BPF_W, kScratch, kRule, kTrustsDeviceAt));
  add(jump_if(BPF_JNE, kScratch, 0, 3));
  add(set(kScratch, 1));
  add(make(BPF_STX | BPF_ATOMIC | BPF_W, kRule, kScratch, kUntoldFramesAt, BPF_ADD));
  add_jump_to_pass(make(BPF_JMP | BPF_JA, 0, 0, 0, 0));
}

void XdpInstructions::add_filter() {
  add(load(BPF_B, kResult, kFrame, kCommandAt));
  add_jump_to_pass(jump_if(BPF_JEQ, kResult, kQueryConfig));
  if (parts_.filter == FrameFilter::all) {
    return;
  }
  add(load(BPF_B, kResult, kFrame, kFlagsAt));
  if (parts_.filter == FrameFilter::responses) {
    add(make(BPF_ALU64 | BPF_AND | BPF_K, kResult, 0, 0, kResponseFlag));
    add_jump_to_pass(jump_if(BPF_JEQ, kResult, 0));
  } else {
    add_jump_to_pass(jump_if(BPF_JSET, kResult, kResponseFlag));
  }
}

}  // namespace aoe::net
