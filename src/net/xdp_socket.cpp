#include "net/xdp_socket.h"

#include "base/check.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace aoe::net {
namespace {

// Offset of the data in an ATA frame: 14 Ethernet + 10 AoE header + 12 ATA (AoEr11 2 and 3.1).
constexpr std::size_t kAtaDataAt = 36;
constexpr std::size_t kDataAlignment = 512;
constexpr std::size_t kXdpHeadroom = 256;  // XDP_PACKET_HEADROOM [linux/bpf.h]
constexpr std::size_t kFrameAt =
    (kXdpHeadroom + kAtaDataAt + kDataAlignment - 1) / kDataAlignment * kDataAlignment - kAtaDataAt;
constexpr std::size_t kChunkBytesMin = 2048;  // [net/xdp/xdp_umem.c: XDP_UMEM_MIN_CHUNK_SIZE]
constexpr std::size_t kChunkBytesMax = 4096;  // a page
static_assert(kChunkBytesMax - kFrameAt == kXdpFrameBytesMax);

// Linux 6.17; headers of Debian 12 do not know it. [linux/if_xdp.h]
constexpr int kMaxTxSkbBudget = 9;  // XDP_MAX_TX_SKB_BUDGET
// Which no shared memory has: the kernel passes over such an entry.
constexpr std::uint64_t kNoAddress = ~std::uint64_t{0};
// How often the kernel may say "later" without taking a frame.
constexpr unsigned kStandstillsMax = 2;
constexpr std::uint32_t kUnusedRing = 2;  // entries; a socket must have both rings of its memory

int set_option(int fd, int level, int option, const auto& value) {
  return ::setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

XdpShape make_xdp_shape(std::size_t frame_bytes) {
  XdpShape shape;
  shape.frame_at = kFrameAt;
  shape.headroom_bytes = static_cast<std::uint32_t>(kFrameAt - kXdpHeadroom);
  shape.chunk_bytes = kFrameAt + frame_bytes <= kChunkBytesMin ? kChunkBytesMin : kChunkBytesMax;
  return shape;
}

Result<std::unique_ptr<XdpSocket>> XdpSocket::open(const Options& options) {
  std::unique_ptr<XdpSocket> socket(new XdpSocket(options));
  AOE_TRY(socket->set_up(options));
  return socket;
}

Result<void> XdpSocket::set_up(const Options& options) {
  fd_ = os::Fd(::socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_) {
    return fail(os::os_error(
        errno, fmt::format("{}: open AF_XDP socket (needs CAP_NET_RAW)", options.interface)));
  }
  AOE_TRY(register_memory(options));
  AOE_TRY(make_rings(options));
  const int send_bytes =
      static_cast<int>(std::min<std::size_t>(options.send_buffer_bytes, std::size_t{1} << 30U));
  if (set_option(fd_.get(), SOL_SOCKET, SO_SNDBUFFORCE, send_bytes) < 0) {
    set_option(fd_.get(), SOL_SOCKET, SO_SNDBUF, send_bytes);
  }
  if (options.tx_chunks != 0) {
    // Older kernels send 32 frames a call.
    set_option(fd_.get(), SOL_XDP, kMaxTxSkbBudget, options.tx_chunks);
  }
  sockaddr_xdp address{};
  address.sxdp_family = AF_XDP;
  address.sxdp_flags = XDP_COPY;
  address.sxdp_ifindex = static_cast<std::uint32_t>(options.interface_index);
  address.sxdp_queue_id = options.queue;
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    const int error = errno;
    return fail(os::os_error(
        error, fmt::format("{}: bind AF_XDP socket to queue {}{}", options.interface, options.queue,
                           error == EBUSY ? " (another program has it)" : "")));
  }
  return {};
}

Result<void> XdpSocket::register_memory(const Options& options) {
  xdp_umem_reg region{};
  region.addr = reinterpret_cast<std::uintptr_t>(memory_.data());
  region.len = memory_.size();
  region.chunk_size = static_cast<std::uint32_t>(shape_.chunk_bytes);
  region.headroom = shape_.headroom_bytes;
  if (set_option(fd_.get(), SOL_XDP, XDP_UMEM_REG, region) == 0) {
    return {};
  }
  if (errno == ENOBUFS) {
    return fail_with(Errc::no_space, ENOBUFS,
                     fmt::format("{}: share {} bytes with the kernel: more than RLIMIT_MEMLOCK "
                                 "allows (LimitMEMLOCK=, or CAP_IPC_LOCK)",
                                 options.interface, memory_.size()));
  }
  return fail(os::os_error(
      errno, fmt::format("{}: share {} bytes with the kernel", options.interface, memory_.size())));
}

Result<void> XdpSocket::make_rings(const Options& options) {
  const std::uint32_t completions = std::max(options.tx_chunks, kUnusedRing);
  const auto error = [&](const char* what) {
    return fail(os::os_error(errno, fmt::format("{}: AF_XDP socket: {}", options.interface, what)));
  };
  if (set_option(fd_.get(), SOL_XDP, XDP_UMEM_FILL_RING, options.rx_chunks) < 0 ||
      set_option(fd_.get(), SOL_XDP, XDP_UMEM_COMPLETION_RING, completions) < 0 ||
      set_option(fd_.get(), SOL_XDP, XDP_RX_RING, options.rx_chunks) < 0 ||
      (options.tx_chunks != 0 &&
       set_option(fd_.get(), SOL_XDP, XDP_TX_RING, options.tx_chunks) < 0)) {
    return error("make rings");
  }
  xdp_mmap_offsets at{};
  socklen_t length = sizeof at;
  if (::getsockopt(fd_.get(), SOL_XDP, XDP_MMAP_OFFSETS, &at, &length) < 0 || length != sizeof at) {
    return error("ask for offsets");
  }
  if (!fill_.map(fd_.get(), at.fr, options.rx_chunks,
                 static_cast<std::int64_t>(XDP_UMEM_PGOFF_FILL_RING)) ||
      !completion_.map(fd_.get(), at.cr, completions,
                       static_cast<std::int64_t>(XDP_UMEM_PGOFF_COMPLETION_RING)) ||
      !rx_.map(fd_.get(), at.rx, options.rx_chunks, XDP_PGOFF_RX_RING) ||
      (options.tx_chunks != 0 &&
       !tx_.map(fd_.get(), at.tx, options.tx_chunks, XDP_PGOFF_TX_RING))) {
    return error("map rings");
  }
  tx_first_ = options.rx_chunks;
  tx_in_flight_.assign(options.tx_chunks, 0);
  tx_free_.reserve(options.tx_chunks);
  for (std::uint32_t i = options.tx_chunks; i > 0; --i) {
    tx_free_.push_back(tx_first_ + i - 1);
  }
  return {};
}

// --- receiving ---

XdpSocket::Frame XdpSocket::take() {
  const xdp_desc& entry = rx_.peek();
  AOE_CHECK(entry.addr < memory_.size() && entry.len <= memory_.size() - entry.addr,
            "the kernel writes frames inside the shared memory");
  const Frame frame{static_cast<std::uint32_t>(entry.addr / shape_.chunk_bytes),
                    entry.addr % shape_.chunk_bytes, entry.len};
  rx_.pop();
  return frame;
}

void XdpSocket::give_chunk(std::uint32_t chunk) {
  // As many entries as there are chunks: it is never full.
  fill_.push(std::uint64_t{chunk} * shape_.chunk_bytes);
  fill_.publish_pushed();
}

std::uint64_t XdpSocket::dropped() const {
  xdp_statistics counters{};
  socklen_t length = sizeof counters;
  if (::getsockopt(fd_.get(), SOL_XDP, XDP_STATISTICS, &counters, &length) < 0) {
    return 0;
  }
  // Frames without a chunk are counted as dropped; fill_ring_empty counts the same ones again.
  return counters.rx_dropped + counters.rx_ring_full;
}

// --- sending ---

bool XdpSocket::stage(ConstByteSpan frame) {
  if (tx_free_.empty()) {
    reap();
  }
  if (tx_free_.empty() || tx_.produced() - tx_passed_ >= tx_.size()) {
    return false;
  }
  const std::uint32_t chunk = tx_free_.back();
  tx_free_.pop_back();
  tx_in_flight_[chunk - tx_first_] = 1;
  const std::size_t at = std::size_t{chunk} * shape_.chunk_bytes;
  copy_bytes(memory_.subspan(at, frame.size()), frame);
  tx_.push({.addr = at, .len = static_cast<std::uint32_t>(frame.size()), .options = 0});
  return true;
}

// What the kernel is done with. In copy mode that is nearly always before send() returns.
void XdpSocket::reap() {
  std::uint32_t count = completion_.waiting();
  if (count == 0) {
    return;
  }
  for (; count > 0; --count) {
    const std::uint64_t address = completion_.peek();
    completion_.pop();
    // Linux 6.18 completes entries that it passed over, too.
    if (address != kNoAddress) {
      free_chunk(address);
    }
  }
  completion_.publish_popped();
}

// Zero, or an errno.
int XdpSocket::kick() const {
  return ::sendto(fd_.get(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0 ? errno : 0;
}

// The kernel passes over one entry without a frame in each call (older ones over all in one), and
// does not say so. False: the interface is down or gone, and there is nothing to try.
bool XdpSocket::pass_cancelled() {
  while (tx_cancelled_ > 0) {
    const int error = kick();
    if (error != 0 && error != EAGAIN && error != EBUSY) {
      return false;
    }
    --tx_cancelled_;
    ++tx_passed_;
  }
  return true;
}

XdpSocket::Outcome XdpSocket::send() {
  Outcome outcome;
  const std::uint32_t end = tx_.produced();
  const std::uint32_t staged = end - tx_passed_ - tx_cancelled_;
  if (staged == 0) {
    return outcome;
  }
  if (!pass_cancelled()) {
    // The kernel has not seen these yet.
    for (std::uint32_t number = end - staged; number != end; ++number) {
      free_chunk(tx_.at(number).addr);
    }
    tx_.unpush(staged);
    outcome.dropped = staged;
    return outcome;
  }
  for (std::uint32_t number = end - staged; number != end; ++number) {
    outcome.bytes += tx_.at(number).len;
  }
  tx_.publish_pushed();
  // Entries leave in order. The kernel counts up when it has sent something, not when it dropped
  // one: EBUSY says that one was dropped after those that it counted. [__xsk_generic_xmit]
  unsigned standstills = 0;
  while (tx_passed_ != end) {
    const int error = kick();
    const std::uint32_t counted = tx_.consumed();
    const bool moved = static_cast<std::int32_t>(counted - tx_passed_) > 0;
    if (moved) {
      tx_passed_ = counted;
    }
    if (error == EBUSY) {
      tx_passed_ += moved ? 0 : 1;
      ++outcome.dropped;
      outcome.bytes -= tx_.at(tx_passed_ - 1).len;
      continue;
    }
    if (error != 0 && error != EAGAIN) {
      cancel_rest(outcome);
      break;
    }
    standstills = moved ? 0 : standstills + 1;
    if (standstills > kStandstillsMax) {
      cancel_rest(outcome);
      break;
    }
    reap();
  }
  reap();
  outcome.frames = staged - outcome.dropped;
  return outcome;
}

// Nothing waits for better times: entries that the kernel has not taken lose their frames.
void XdpSocket::cancel_rest(Outcome& outcome) {
  for (std::uint32_t number = tx_passed_ + tx_cancelled_; number != tx_.produced(); ++number) {
    free_chunk(tx_.at(number).addr);
    tx_.at(number).addr = kNoAddress;
    outcome.bytes -= tx_.at(number).len;
    ++tx_cancelled_;
    ++outcome.dropped;
  }
}

void XdpSocket::free_chunk(std::uint64_t address) {
  const auto chunk = static_cast<std::uint32_t>(address / shape_.chunk_bytes);
  AOE_CHECK(chunk >= tx_first_ && chunk - tx_first_ < tx_in_flight_.size(),
            "the kernel completes what it was given");
  // Not twice: what was cancelled may have been sent after all.
  if (tx_in_flight_[chunk - tx_first_] != 0) {
    tx_in_flight_[chunk - tx_first_] = 0;
    tx_free_.push_back(chunk);
  }
}

}  // namespace aoe::net
