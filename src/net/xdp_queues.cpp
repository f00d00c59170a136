#include "net/xdp_queues.h"

#include "base/check.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

namespace aoe::net {
namespace {

constexpr std::size_t kChunksWanted = 2048;
constexpr std::size_t kQueueChunksWanted = 256;
constexpr std::size_t kQueueChunksMin = 8;
// Four batches, which are nearly always gone when a batch has been sent.
constexpr std::uint32_t kTxChunks = 256;

}  // namespace

XdpQueues::~XdpQueues() {
  AOE_CHECK(held_count_ == 0, "shared memory outlives the buffers in it");
  close();
  unmap();
}

void XdpQueues::unmap() {
  if (!memory_.empty()) {
    ::munmap(memory_.data(), memory_.size());
  }
  memory_ = {};
}

XdpQueues::Layout XdpQueues::make_layout(const Options& options) {
  Layout layout;
  layout.shape = make_xdp_shape(options.frame_bytes);
  layout.queues = options.queues;
  const std::size_t chunks =
      options.ring_bytes == 0
          ? std::max(kChunksWanted / options.queues, kQueueChunksWanted)
          : std::max(options.ring_bytes / layout.shape.chunk_bytes / options.queues,
                     kQueueChunksMin);
  layout.rx_chunks = static_cast<std::uint32_t>(std::bit_floor(chunks));
  return layout;
}

bool XdpQueues::may_open(const Options& options) const {
  return held_count_ == 0 || layout_ == make_layout(options);
}

// Shared, so that the port goes on in a child process when this one ends.
Result<void> XdpQueues::make_memory(const std::string& interface, const Layout& layout) {
  unmap();
  const std::size_t bytes =
      (std::size_t{layout.queues} * layout.rx_chunks + kTxChunks) * layout.shape.chunk_bytes;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail(os::os_error(errno, fmt::format("{}: map {} bytes", interface, bytes)));
  }
  memory_ = {static_cast<std::byte*>(memory), bytes};
  layout_ = layout;
  held_.assign(std::size_t{layout.queues} * layout.rx_chunks, 0);
  return {};
}

// The first queue has the chunks that send, behind those that receive; so it lies last.
std::span<std::byte> XdpQueues::memory_of(std::uint32_t queue) const {
  const std::size_t rx_bytes = layout_.rx_chunks * layout_.shape.chunk_bytes;
  const std::size_t place = layout_.queues - 1 - queue;
  return queue == 0 ? memory_.subspan(place * rx_bytes)
                    : memory_.subspan(place * rx_bytes, rx_bytes);
}

Result<void> XdpQueues::open(const Options& options) {
  AOE_CHECK(!is_open() && may_open(options), "sockets are opened when there is a place for them");
  const Layout layout = make_layout(options);
  if (memory_.empty() || layout != layout_) {
    AOE_TRY(make_memory(options.interface, layout));
  }
  std::vector<std::unique_ptr<XdpSocket>> opened;
  for (std::uint32_t queue = 0; queue < layout_.queues; ++queue) {
    AOE_TRY_ASSIGN(auto socket, XdpSocket::open({.interface = options.interface,
                                                 .interface_index = options.interface_index,
                                                 .queue = queue,
                                                 .memory = memory_of(queue),
                                                 .shape = layout_.shape,
                                                 .rx_chunks = layout_.rx_chunks,
                                                 .tx_chunks = queue == 0 ? kTxChunks : 0,
                                                 .send_buffer_bytes = options.send_buffer_bytes}));
    for (std::uint32_t chunk = 0; chunk < layout_.rx_chunks; ++chunk) {
      if (held_[std::size_t{queue} * layout_.rx_chunks + chunk] == 0) {
        socket->give_chunk(chunk);
      }
    }
    opened.push_back(std::move(socket));
  }
  sockets_ = std::move(opened);
  next_queue_ = 0;
  return {};
}

void XdpQueues::close() {
  dropped_before_ = dropped();
  for (const auto& socket : sockets_) {
    dropped_before_ += socket->waiting();
  }
  sockets_.clear();
}

std::size_t XdpQueues::receive(std::span<PacketBuffer> out, PortStats& stats) {
  std::size_t count = 0;
  for (std::size_t turn = 0; turn < sockets_.size() && count < out.size(); ++turn) {
    const std::size_t queue = next_queue_;
    next_queue_ = next_queue_ + 1 == sockets_.size() ? 0 : next_queue_ + 1;
    XdpSocket& socket = *sockets_[queue];
    const std::size_t waiting = std::min<std::size_t>(socket.waiting(), out.size() - count);
    const std::span<std::byte> memory = memory_of(static_cast<std::uint32_t>(queue));
    for (std::size_t i = 0; i < waiting; ++i) {
      const XdpSocket::Frame frame = socket.take();
      const std::size_t index = queue * layout_.rx_chunks + frame.chunk;
      AOE_CHECK(frame.chunk < layout_.rx_chunks && held_[index] == 0,
                "the kernel fills chunks that it was given, once");
      held_[index] = 1;
      ++held_count_;
      out[count++] = PacketBuffer(*this, static_cast<std::uint32_t>(index),
                                  memory.subspan(frame.chunk * layout_.shape.chunk_bytes + frame.at,
                                                 layout_.shape.chunk_bytes - frame.at),
                                  frame.size_bytes);
      ++stats.rx_frames;
      stats.rx_bytes += frame.size_bytes;
    }
    if (waiting != 0) {
      socket.end_taking();
    }
  }
  return count;
}

bool XdpQueues::has_frames() const {
  return std::any_of(sockets_.begin(), sockets_.end(),
                     [](const auto& socket) { return socket->waiting() != 0; });
}

void XdpQueues::transmit(std::span<PacketBuffer> frames, PortStats& stats) {
  XdpSocket& socket = *sockets_.front();
  while (!frames.empty()) {
    const auto batch = frames.first(std::min<std::size_t>(frames.size(), kTxChunks / 4));
    for (PacketBuffer& frame : batch) {
      // The kernel would send what has no header, or less.
      if (frame.size() < kEthernetHeaderBytes || !socket.stage(std::as_const(frame).bytes())) {
        ++stats.tx_dropped;
      }
      frame.reset();
    }
    const XdpSocket::Outcome outcome = socket.send();
    stats.tx_frames += outcome.frames;
    stats.tx_dropped += outcome.dropped;
    stats.tx_bytes += outcome.bytes;
    frames = frames.subspan(batch.size());
  }
}

std::uint64_t XdpQueues::dropped() const {
  std::uint64_t dropped = dropped_before_;
  for (const auto& socket : sockets_) {
    dropped += socket->dropped();
  }
  return dropped;
}

void XdpQueues::release_buffer(std::uint32_t index) noexcept {
  AOE_CHECK(index < held_.size() && held_[index] != 0, "a chunk is given back once");
  held_[index] = 0;
  --held_count_;
  const std::uint32_t queue = index / layout_.rx_chunks;
  // After close() the chunk waits for the next sockets.
  if (queue < sockets_.size()) {
    sockets_[queue]->give_chunk(index % layout_.rx_chunks);
  }
}

}  // namespace aoe::net
