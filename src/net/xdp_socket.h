// An AF_XDP socket on one queue of an interface, with the memory that it shares with the kernel.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "net/xdp_ring.h"
#include "os/fd.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace aoe::net {

// Where frames lie in a chunk of that memory, for one longest frame. [net/xdp/xdp_umem.c]
//
//   0            256 bytes that XDP keeps (XDP_PACKET_HEADROOM), then our headroom
//   frame_at     Ethernet header; 36 bytes later the data of an ATA frame, on a multiple of 512
//   chunk_bytes  end: 2048 or 4096, because a chunk lies in one page
struct XdpShape {
  std::size_t chunk_bytes = 0;
  std::size_t frame_at = 0;
  std::uint32_t headroom_bytes = 0;

  [[nodiscard]] std::size_t frame_bytes_max() const { return chunk_bytes - frame_at; }

  friend bool operator==(const XdpShape&, const XdpShape&) = default;
};

// The longest frame that AF_XDP takes in one chunk: MTU 3606 and the Ethernet header.
inline constexpr std::size_t kXdpFrameBytesMax = 3620;

// The shape for frames of up to `frame_bytes`, at most kXdpFrameBytesMax.
[[nodiscard]] XdpShape make_xdp_shape(std::size_t frame_bytes);

// Bound in copy mode: the kernel copies between chunks and its own frames, in our system call when
// sending and where the driver works when receiving. Zero-copy needs hardware and is not used.
//
// Chunks 0.. up to rx_chunks receive; those behind them send. All of the sending ones are ours
// until send(). Single thread.
class XdpSocket {
 public:
  struct Options {
    std::string interface;  // for messages
    int interface_index = 0;
    std::uint32_t queue = 0;
    // Chunks of `shape`, page aligned, shared memory; outlives the socket.
    std::span<std::byte> memory;
    XdpShape shape;
    std::uint32_t rx_chunks = 0;  // a power of two
    std::uint32_t tx_chunks = 0;  // a power of two, or 0: this one does not send
    std::size_t send_buffer_bytes = 0;
  };

  // Nothing arrives before give_chunk() and before a program sends frames here. Errors:
  // not_permitted (CAP_NET_RAW), unsupported (the kernel has no AF_XDP), busy (the queue has an
  // AF_XDP socket, or had one a moment ago), no_space (RLIMIT_MEMLOCK), io.
  [[nodiscard]] static Result<std::unique_ptr<XdpSocket>> open(const Options& options);

  [[nodiscard]] int fd() const { return fd_.get(); }

  // --- receiving ---

  struct Frame {
    std::uint32_t chunk = 0;
    std::size_t at = 0;  // in the chunk
    std::size_t size_bytes = 0;
  };

  [[nodiscard]] std::uint32_t waiting() const { return rx_.waiting(); }

  // The next of those that wait. Its chunk is ours until give_chunk().
  [[nodiscard]] Frame take();

  // After a batch of take().
  void end_taking() { rx_.publish_popped(); }

  void give_chunk(std::uint32_t chunk);

  // Frames that the kernel had no chunk for, since the socket was opened. One system call.
  [[nodiscard]] std::uint64_t dropped() const;

  // --- sending ---

  struct Outcome {
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;  // of those
    std::uint64_t dropped = 0;
  };

  // Copies the frame, which is no longer than a chunk, into one of ours. False: none is free.
  [[nodiscard]] bool stage(ConstByteSpan frame);

  // Sends what was staged, in order, with one system call for as many frames as the kernel takes at
  // once (32, or since Linux 6.17 all of them). Nothing of it stays behind: what cannot leave now
  // is dropped, because a frame that leaves minutes later could undo newer writes.
  [[nodiscard]] Outcome send();

 private:
  explicit XdpSocket(const Options& options) : shape_(options.shape), memory_(options.memory) {}

  [[nodiscard]] Result<void> set_up(const Options& options);
  [[nodiscard]] Result<void> register_memory(const Options& options);
  [[nodiscard]] Result<void> make_rings(const Options& options);
  [[nodiscard]] int kick() const;
  [[nodiscard]] bool pass_cancelled();
  void cancel_rest(Outcome& outcome);
  void free_chunk(std::uint64_t address);
  void reap();

  os::Fd fd_;
  XdpShape shape_;
  std::span<std::byte> memory_;
  XdpRing<std::uint64_t> fill_;
  XdpRing<std::uint64_t> completion_;
  XdpRing<xdp_desc> rx_;
  XdpRing<xdp_desc> tx_;
  std::uint32_t tx_first_ = 0;              // the first chunk that sends
  std::vector<std::uint32_t> tx_free_;      // chunks
  std::vector<std::uint8_t> tx_in_flight_;  // by chunk, from tx_first_
  std::uint32_t tx_passed_ = 0;     // how far the kernel is, which its own number may lag behind
  std::uint32_t tx_cancelled_ = 0;  // entries from tx_passed_ on that stand for nothing any more
};

}  // namespace aoe::net
