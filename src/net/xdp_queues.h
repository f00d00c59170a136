// The AF_XDP sockets of an interface, one for each queue, and the memory that they share with the
// kernel: handed out in chunks.
#pragma once

#include "base/packet_buffer.h"
#include "base/result.h"
#include "net/packet_port.h"
#include "net/xdp_socket.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace aoe::net {

// A chunk belongs to the kernel, or waits to be taken, or is held by a PacketBuffer. Chunks may be
// given back in any order and stop nobody while they are held, unless all of their queue are.
//
// Single thread. Outlives its buffers (checked): close() ends the sockets, the memory stays.
class XdpQueues final : public BufferOwner {
 public:
  struct Options {
    std::string interface;
    int interface_index = 0;
    std::uint32_t queues = 1;
    std::size_t frame_bytes = 0;  // the longest, at most kXdpFrameBytesMax
    // Memory for waiting frames, of all queues; 0 for the default: 2048 chunks, but at least 256 a
    // queue. Rounded down to a power of two of chunks a queue, at least 8. Not swappable.
    std::size_t ring_bytes = 0;
    std::size_t send_buffer_bytes = 0;
  };

  XdpQueues() = default;
  XdpQueues(const XdpQueues&) = delete;
  XdpQueues& operator=(const XdpQueues&) = delete;
  ~XdpQueues() override;

  // Whether open() would find a place: memory of that shape, or no buffer out of the old one.
  [[nodiscard]] bool may_open(const Options& options) const;

  // Opens the sockets; there were none. Errors: those of XdpSocket::open, io (no memory).
  [[nodiscard]] Result<void> open(const Options& options);

  // What waited is lost and counted.
  void close();

  [[nodiscard]] bool is_open() const { return !sockets_.empty(); }

  [[nodiscard]] std::span<const std::unique_ptr<XdpSocket>> sockets() const { return sockets_; }

  [[nodiscard]] std::size_t frame_bytes_max() const { return layout_.shape.frame_bytes_max(); }

  // Up to out.size() frames, from all queues in turn. Counts them.
  [[nodiscard]] std::size_t receive(std::span<PacketBuffer> out, PortStats& stats);

  [[nodiscard]] bool has_frames() const;

  // As PacketPort::transmit(); frames are no longer than frame_bytes_max().
  void transmit(std::span<PacketBuffer> frames, PortStats& stats);

  // Frames that the kernel had no chunk for, and those that close() lost. One system call a queue.
  [[nodiscard]] std::uint64_t dropped() const;

  [[nodiscard]] std::size_t held_chunks() const { return held_count_; }

  void release_buffer(std::uint32_t index) noexcept override;

 private:
  struct Layout {
    XdpShape shape;
    std::uint32_t queues = 0;
    std::uint32_t rx_chunks = 0;  // of each queue; those that send lie behind the first one's
    friend bool operator==(const Layout&, const Layout&) = default;
  };

  [[nodiscard]] static Layout make_layout(const Options& options);
  [[nodiscard]] Result<void> make_memory(const std::string& interface, const Layout& layout);
  [[nodiscard]] std::span<std::byte> memory_of(std::uint32_t queue) const;
  void unmap();

  Layout layout_;
  std::span<std::byte> memory_;
  std::vector<std::unique_ptr<XdpSocket>> sockets_;  // by queue
  std::vector<std::uint8_t> held_;                   // by queue * rx_chunks + chunk
  std::size_t held_count_ = 0;
  std::size_t next_queue_ = 0;
  std::uint64_t dropped_before_ = 0;  // of sockets that were closed
};

}  // namespace aoe::net
