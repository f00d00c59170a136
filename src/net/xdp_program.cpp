#include "net/xdp_program.h"

#include "net/xdp_instructions.h"
#include "os/error_text.h"
#include "os/mapped_memory.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace aoe::net {
namespace {

constexpr std::uint32_t kQueuesMax = 64;
// Linux 6.3; headers of Debian 12 do not know it. [linux/bpf.h]
constexpr std::uint32_t kProgramIsForOneDevice = 1U << 6U;  // BPF_F_XDP_DEV_BOUND_ONLY

// One ethtool command on the interface of that name in this network namespace; errno, or 0.
int ask_ethtool(const std::string& interface, void* command) {
  const os::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::memcpy(request.ifr_name, interface.data(),
              std::min(interface.size(), sizeof request.ifr_name - 1));
  request.ifr_data = static_cast<char*>(command);
  return ::ioctl(socket.get(), SIOCETHTOOL, &request) < 0 ? errno : 0;
}

bool device_takes_tags_off(const std::string& interface) {
  ethtool_value value{.cmd = ETHTOOL_GFLAGS, .data = 0};
  return ask_ethtool(interface, &value) == 0 && (value.data & ETH_FLAG_RXVLAN) != 0;
}

}  // namespace

// The value of rule_, as the instructions read it.
struct XdpProgram::Shared {
  XdpRuleValue value;
};

std::uint32_t receive_queues(const std::string& interface) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  if (ask_ethtool(interface, &channels) != 0) {
    return 1;
  }
  return std::clamp(channels.rx_count + channels.combined_count, 1U, kQueuesMax);
}

std::int32_t XdpProgram::find_vlan_function() {
  // The library prints warnings otherwise.
  libbpf_set_print(nullptr);
  btf* const types = btf__load_vmlinux_btf();
  if (types == nullptr) {
    return 0;
  }
  const std::int32_t id =
      btf__find_by_name_kind(types, "bpf_xdp_metadata_rx_vlan_tag", BTF_KIND_FUNC);
  btf__free(types);
  return std::max(id, 0);
}

Result<std::unique_ptr<XdpProgram>> XdpProgram::load(const Options& options) {
  std::unique_ptr<XdpProgram> program(new XdpProgram(options));
  AOE_TRY(program->make_maps());
  AOE_TRY(program->load_program());
  return program;
}

XdpProgram::~XdpProgram() {
  if (shared_ != nullptr) {
    ::munmap(shared_, os::page_bytes());
  }
}

Result<void> XdpProgram::make_maps() {
  const auto error = [this](const char* what) {
    return fail(os::os_error(errno, fmt::format("{}: XDP: {} (needs CAP_BPF and CAP_NET_ADMIN)",
                                                options_.interface, what)));
  };
  sockets_ = os::Fd(bpf_map_create(BPF_MAP_TYPE_XSKMAP, "aoe_sockets", sizeof(std::uint32_t),
                                   sizeof(int), options_.queues, nullptr));
  if (!sockets_) {
    return error("make the map of sockets");
  }
  bpf_map_create_opts shared{};
  shared.sz = sizeof shared;
  shared.map_flags = BPF_F_MMAPABLE;
  rule_ = os::Fd(bpf_map_create(BPF_MAP_TYPE_ARRAY, "aoe_rule", sizeof(std::uint32_t),
                                sizeof(XdpRuleValue), 1, &shared));
  if (!rule_) {
    return error("make the map of the rule");
  }
  void* memory =
      ::mmap(nullptr, os::page_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, rule_.get(), 0);
  if (memory == MAP_FAILED) {
    return error("share the rule");
  }
  shared_ = static_cast<Shared*>(memory);
  return {};
}

Result<void> XdpProgram::load_program() {
  bpf_prog_load_opts how{};
  how.sz = sizeof how;
  how.expected_attach_type = BPF_XDP;
  XdpInstructions code({.filter = options_.filter,
                        .sockets_fd = sockets_.get(),
                        .rule_fd = rule_.get(),
                        .vlan_function = options_.vlan_function});
  int error = ENOENT;
  if (code.knows_tags()) {
    // Frames in several pieces (BPF_F_XDP_HAS_FRAGS) are none of ours, but drivers let the MTU grow
    // under a program that takes them, and the port then goes on without it.
    how.prog_flags = BPF_F_XDP_HAS_FRAGS | kProgramIsForOneDevice;
    how.prog_ifindex = static_cast<std::uint32_t>(options_.interface_index);
    // Only programs under a license that goes with the GPL may ask the kernel for the tag; that of
    // the instructions is named in xdp_instructions.h.
    program_ = os::Fd(bpf_prog_load(BPF_PROG_TYPE_XDP, "aoe_frames", "Dual BSD/GPL", code.begin(),
                                    code.count(), &how));
    if (program_) {
      return {};
    }
    error = errno;
  }
  if (error != EPERM && device_takes_tags_off(options_.interface)) {
    return fail_with(Errc::unsupported, 0,
                     fmt::format("{}: XDP: the device takes VLAN tags off and this kernel does not "
                                 "tell: frames of other VLANs would be taken for ours (ethtool -K "
                                 "{} rxvlan off, or use port=packet)",
                                 options_.interface, options_.interface));
  }
  how.prog_flags = BPF_F_XDP_HAS_FRAGS;
  how.prog_ifindex = 0;
  code.forget_tags();
  program_ = os::Fd(bpf_prog_load(BPF_PROG_TYPE_XDP, "aoe_frames", "Dual BSD/GPL", code.begin(),
                                  code.count(), &how));
  if (!program_) {
    return fail(os::os_error(
        errno, fmt::format("{}: XDP: load program (needs CAP_BPF, CAP_NET_ADMIN and Linux 5.18)",
                           options_.interface)));
  }
  return {};
}

Result<void> XdpProgram::add_socket(std::uint32_t queue, int socket) {
  if (bpf_map_update_elem(sockets_.get(), &queue, &socket, BPF_ANY) < 0) {
    return fail(os::os_error(
        errno, fmt::format("{}: XDP: add the socket of queue {}", options_.interface, queue)));
  }
  return {};
}

void XdpProgram::set_rule(const Rule& rule) {
  // The program may read half of a change; what it then takes or leaves, a moment of a change of
  // address would have sent wrong anyway.
  XdpRuleValue& value = shared_->value;
  std::copy(rule.station.octets.begin(), rule.station.octets.end(), value.station.begin());
  std::atomic_ref(value.frame_bytes_max)
      .store(static_cast<std::uint32_t>(rule.frame_bytes_max), std::memory_order_release);
  std::atomic_ref(value.trusts_device)
      .store(device_takes_tags_off(options_.interface) ? 0 : 1, std::memory_order_release);
}

Result<void> XdpProgram::attach() {
  bpf_link_create_opts how{};
  how.sz = sizeof how;
  how.flags = XDP_FLAGS_DRV_MODE;
  link_ = os::Fd(bpf_link_create(program_.get(), options_.interface_index, BPF_XDP, &how));
  if (link_) {
    return {};
  }
  const int error = errno;
  const char* hint = "";
  if (error == EBUSY || error == EEXIST) {
    hint = " (another program is attached; see ip link)";
  } else if (error == EOPNOTSUPP) {
    hint = " (the driver has no native XDP; use port=packet)";
  } else if (error == EPERM) {
    hint = " (needs CAP_BPF and CAP_NET_ADMIN)";
  } else if (error == ERANGE) {
    hint = " (the MTU of this interface or of its peer is too large for XDP)";
  }
  return fail(
      os::os_error(error, fmt::format("{}: XDP: attach program{}", options_.interface, hint)));
}

std::uint32_t XdpProgram::untold_frames() const {
  return std::atomic_ref(shared_->value.untold_frames).load(std::memory_order_relaxed);
}

}  // namespace aoe::net
