#include "net/af_xdp_port.h"

#include "base/port_kind.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace aoe::net {
namespace {

// The kernel lets go of a closed socket's queue a moment later, on a thread of its own.
constexpr int kOpenAttempts = 100;
constexpr int kRefreshAttempts = 5;
constexpr int kAttemptMs = 10;
constexpr int kRefreshAttemptMs = 2;

}  // namespace

AfXdpPort::AfXdpPort(const AfPacketOptions& options, std::unique_ptr<AfPacketPort> packet,
                     os::Fd wait)
    : options_(options), packet_(std::move(packet)), wait_(std::move(wait)) {}

Result<std::unique_ptr<AfXdpPort>> AfXdpPort::open(const AfPacketOptions& options,
                                                   WithoutXdp without_xdp) {
  if (options.filter == FrameFilter::remarkable_responses) {
    return fail_with(Errc::unsupported, 0,
                     fmt::format("{}: open port: AF_XDP takes frames away from others, and who "
                                 "watches a network must not (use port=packet)",
                                 options.interface));
  }
  if (options.share.count > 1) {
    return fail_with(Errc::unsupported, 0,
                     fmt::format("{}: open port: AF_XDP gives the frames of a queue to one socket, "
                                 "and {} are to divide them (use port=packet)",
                                 options.interface, options.share.count));
  }
  AOE_TRY_ASSIGN(auto packet, AfPacketPort::open(options));
  os::Fd wait(::epoll_create1(EPOLL_CLOEXEC));
  if (!wait) {
    return fail(
        os::os_error(errno, fmt::format("{}: open port: epoll_create1", options.interface)));
  }
  std::unique_ptr<AfXdpPort> port(new AfXdpPort(options, std::move(packet), std::move(wait)));
  AOE_TRY(port->watch(port->packet_->wait_fd()));
  if (port->packet_->interface_index() == 0) {
    port->detach("the interface does not exist yet");
    return port;
  }
  if (auto attached = port->attach(Patience::some); !attached) {
    if (without_xdp == WithoutXdp::refuse) {
      return fail(std::move(attached).error());
    }
    port->detach(std::move(attached).error().message);
    port->failed_ = port->present();
  }
  return port;
}

// Level-triggered: whoever watches the epoll instance decides for itself, and nobody waits on it.
Result<void> AfXdpPort::watch(int fd) const {
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(wait_.get(), EPOLL_CTL_ADD, fd, &event) < 0) {
    return fail(os::os_error(errno, fmt::format("{}: watch socket", name())));
  }
  return {};
}

AfXdpPort::Attempt AfXdpPort::present() const {
  return {packet_->interface_index(), packet_->interface_mtu_bytes()};
}

XdpQueues::Options AfXdpPort::queue_options() const {
  const Attempt now = present();
  return {.interface = name(),
          .interface_index = now.index,
          .queues = receive_queues(name()),
          .frame_bytes = now.mtu_bytes + kEthernetHeaderBytes,
          .ring_bytes = options_.ring_bytes,
          .send_buffer_bytes = options_.send_buffer_bytes};
}

Result<void> AfXdpPort::check_mtu() const {
  const std::size_t mtu_bytes = packet_->interface_mtu_bytes();
  if (mtu_bytes <= kXdpMtuBytesMax) {
    return {};
  }
  return fail_with(
      Errc::unsupported, 0,
      fmt::format("{}: AF_XDP: MTU {} is more than {} (use port=packet, or ip link set "
                  "{} mtu 1500)",
                  name(), mtu_bytes, kXdpMtuBytesMax, name()));
}

Result<void> AfXdpPort::open_queues(Patience patience) {
  const XdpQueues::Options options = queue_options();
  const bool waits = patience == Patience::some;
  for (int attempt = waits ? kOpenAttempts : kRefreshAttempts;; --attempt) {
    auto opened = queues_.open(options);
    if (opened || opened.error().code != Errc::busy || attempt <= 1) {
      return opened;
    }
    ::poll(nullptr, 0, waits ? kAttemptMs : kRefreshAttemptMs);
  }
}

// In this order, so that no frame goes astray: sockets, then the program that sends frames to them.
Result<void> AfXdpPort::attach(Patience patience) {
  AOE_TRY(check_mtu());
  // Before the work of loading a program.
  if (!queues_.may_open(queue_options())) {
    return fail_with(Errc::busy, 0, fmt::format("{}: AF_XDP: buffers are still out", name()));
  }
  if (!vlan_function_) {
    vlan_function_ = XdpProgram::find_vlan_function();
  }
  AOE_TRY_ASSIGN(auto program, XdpProgram::load({.interface = name(),
                                                 .interface_index = packet_->interface_index(),
                                                 .filter = options_.filter,
                                                 .queues = receive_queues(name()),
                                                 .vlan_function = *vlan_function_}));
  AOE_TRY(open_queues(patience));
  const auto arm = [&]() -> Result<void> {
    std::uint32_t queue = 0;
    for (const auto& socket : queues_.sockets()) {
      AOE_TRY(program->add_socket(queue++, socket->fd()));
      AOE_TRY(watch(socket->fd()));
    }
    program->set_rule({info().mac, queues_.frame_bytes_max()});
    return program->attach();
  };
  if (auto armed = arm(); !armed) {
    queues_.close();
    return armed;
  }
  program_ = std::move(program);
  attached_ = present();
  failed_.reset();
  reason_.clear();
  return {};
}

// The program first: then what comes takes the ordinary way.
void AfXdpPort::detach(std::string reason) {
  program_.reset();
  queues_.close();
  reason_ = std::move(reason);
}

bool AfXdpPort::refresh() {
  const bool changed = packet_->refresh();
  settle();
  return changed;
}

// Makes the port what the interface allows now.
void AfXdpPort::settle() {
  const Attempt now = present();
  if (now.index == 0) {
    detach("the interface does not exist");
    failed_.reset();
    return;
  }
  if (program_ != nullptr && program_->untold_frames() != 0) {
    detach(
        fmt::format("{}: XDP: the driver does not say whether frames had VLAN tags (ethtool -K "
                    "{} rxvlan off)",
                    name(), name()));
    failed_ = now;
    return;
  }
  if (program_ != nullptr && now == attached_) {
    program_->set_rule({info().mac, queues_.frame_bytes_max()});
    return;
  }
  if (program_ != nullptr && now.index == attached_.index && now.mtu_bytes <= kXdpMtuBytesMax &&
      now.mtu_bytes + kEthernetHeaderBytes <= queues_.frame_bytes_max()) {
    attached_ = now;
    return;
  }
  if (failed_ == now) {
    return;
  }
  detach("");
  if (const auto attached = attach(Patience::none); !attached) {
    reason_ = attached.error().message;
    // What is busy may be free the next time.
    failed_ = attached.error().code == Errc::busy ? std::nullopt : std::optional(now);
  }
}

std::string_view AfXdpPort::kind() const {
  return to_string(program_ != nullptr ? PortKind::xdp : PortKind::packet);
}

std::size_t AfXdpPort::receive(std::span<PacketBuffer> out) {
  // First what is rare and must not wait behind a flood of the rest.
  const std::size_t count = packet_->receive(out);
  return count + queues_.receive(out.subspan(count), stats_);
}

void AfXdpPort::transmit(std::span<PacketBuffer> frames) {
  if (!queues_.is_open()) {
    packet_->transmit(frames);
    return;
  }
  const std::size_t frame_bytes_max =
      std::min(attached_.mtu_bytes + kEthernetHeaderBytes, queues_.frame_bytes_max());
  // Runs of frames that fit; one that does not is counted and left out.
  while (!frames.empty()) {
    const auto end = std::find_if(frames.begin(), frames.end(), [&](const PacketBuffer& frame) {
      return frame.size() > frame_bytes_max;
    });
    const auto fit = static_cast<std::size_t>(end - frames.begin());
    queues_.transmit(frames.first(fit), stats_);
    frames = frames.subspan(fit);
    if (!frames.empty()) {
      ++stats_.tx_oversize;
      frames.front().reset();
      frames = frames.subspan(1);
    }
  }
}

PortStats AfXdpPort::stats() const {
  PortStats all = packet_->stats();
  all.rx_frames += stats_.rx_frames;
  all.rx_bytes += stats_.rx_bytes;
  all.rx_dropped += queues_.dropped();
  all.tx_frames += stats_.tx_frames;
  all.tx_bytes += stats_.tx_bytes;
  all.tx_dropped += stats_.tx_dropped;
  all.tx_oversize += stats_.tx_oversize;
  return all;
}

}  // namespace aoe::net
