#include "wire/ring_socket.h"

#include "os/error_text.h"
#include "os/netif.h"
#include "protocol/aoe_frame.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <utility>

namespace aoe::bench {
namespace {

constexpr std::size_t kSlotOverhead = 128;  // header, address and alignment in front of a frame
constexpr std::size_t kBlockBytesMin = std::size_t{64} << 10U;
constexpr int kSendBytes = 8 << 20;

auto failed(const std::string& interface, const char* what) {
  return fail(os::os_error(errno, fmt::format("{}: {}", interface, what)));
}

int set_option(int fd, int option, int value) {
  return ::setsockopt(fd, SOL_PACKET, option, &value, sizeof value);
}

}  // namespace

RingSocket::RingSocket(os::Fd socket, std::size_t frame_bytes_max)
    : socket_(std::move(socket)),
      frame_bytes_max_(frame_bytes_max),
      slot_bytes_(std::bit_ceil(frame_bytes_max + kSlotOverhead)),
      out_(kBatchFrames * frame_bytes_max) {}

RingSocket::~RingSocket() {
  if (ring_ != nullptr) {
    ::munmap(ring_, slot_bytes_ * slot_count_);
  }
}

Result<std::unique_ptr<RingSocket>> RingSocket::open(const std::string& interface,
                                                     std::size_t ring_bytes) {
  AOE_TRY_ASSIGN(const os::NetInterface found, os::query_interface(interface));
  os::Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) {
    return failed(interface, "packet socket");
  }
  const std::size_t frame_bytes_max = found.mtu_bytes + protocol::kEthernetHeaderBytes;
  std::unique_ptr<RingSocket> made(new RingSocket(std::move(socket), frame_bytes_max));
  const int fd = made->socket_.get();
  std::transform(found.mac.octets.begin(), found.mac.octets.end(), made->mac_.begin(),
                 [](auto byte) { return static_cast<std::byte>(byte); });
  if (set_option(fd, PACKET_VERSION, TPACKET_V2) < 0) {
    return failed(interface, "TPACKET_V2");
  }
  set_option(fd, PACKET_IGNORE_OUTGOING, 1);
  set_option(fd, PACKET_QDISC_BYPASS, 1);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &kSendBytes, sizeof kSendBytes);
  made->slot_count_ = std::bit_floor(std::max<std::size_t>(ring_bytes / made->slot_bytes_, 64));
  tpacket_req request{};
  const std::size_t block_bytes = std::max(made->slot_bytes_, kBlockBytesMin);
  request.tp_block_size = static_cast<unsigned>(block_bytes);
  request.tp_block_nr = static_cast<unsigned>(made->slot_bytes_ * made->slot_count_ / block_bytes);
  request.tp_frame_size = static_cast<unsigned>(made->slot_bytes_);
  request.tp_frame_nr = static_cast<unsigned>(made->slot_count_);
  if (::setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) < 0) {
    return failed(interface, "PACKET_RX_RING");
  }
  void* memory = ::mmap(nullptr, made->slot_bytes_ * made->slot_count_, PROT_READ | PROT_WRITE,
                        MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    return failed(interface, "mmap of the ring");
  }
  made->ring_ = static_cast<std::byte*>(memory);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(protocol::kEtherType);
  address.sll_ifindex = found.index;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    return failed(interface, "bind");
  }
  return made;
}

ByteSpan RingSocket::peek() {
  std::byte* slot = ring_ + next_ * slot_bytes_;
  auto& header = *reinterpret_cast<tpacket2_hdr*>(slot);
  if ((std::atomic_ref(header.tp_status).load(std::memory_order_acquire) & TP_STATUS_USER) == 0) {
    return {};
  }
  return {slot + header.tp_mac, header.tp_snaplen};
}

void RingSocket::drop() {
  auto& header = *reinterpret_cast<tpacket2_hdr*>(ring_ + next_ * slot_bytes_);
  std::atomic_ref(header.tp_status).store(TP_STATUS_KERNEL, std::memory_order_release);
  next_ = (next_ + 1) & (slot_count_ - 1);
}

ByteSpan RingSocket::next_out() {
  if (out_count_ == kBatchFrames) {
    return {};
  }
  return ByteSpan(out_).subspan(out_count_ * frame_bytes_max_, frame_bytes_max_);
}

void RingSocket::push(std::size_t size) {
  pieces_[out_count_] = {out_.data() + out_count_ * frame_bytes_max_, size};
  messages_[out_count_].msg_hdr.msg_iov = &pieces_[out_count_];
  messages_[out_count_].msg_hdr.msg_iovlen = 1;
  ++out_count_;
}

std::size_t RingSocket::flush() {
  std::size_t refused = 0;
  for (std::size_t at = 0; at < out_count_;) {
    const int sent = ::sendmmsg(socket_.get(), &messages_[at],
                                static_cast<unsigned>(out_count_ - at), MSG_DONTWAIT);
    if (sent > 0) {
      at += static_cast<std::size_t>(sent);
    } else if (errno != EINTR) {
      ++refused;
      ++at;
    }
  }
  out_count_ = 0;
  return refused;
}

void RingSocket::wait(int timeout_ms) const {
  pollfd waited{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  (void)::poll(&waited, 1, timeout_ms);
}

}  // namespace aoe::bench
