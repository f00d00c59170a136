// One of the four rings that an AF_XDP socket shares with the kernel.
#pragma once

#include <linux/if_xdp.h>
#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace aoe::net {

// Entries are xdp_desc (receive, send) or 64-bit offsets into the shared memory (fill, completion).
// One side writes `producer`, the other `consumer`; both only ever count up and wrap at 2^32.
// [linux/if_xdp.h, net/xdp/xsk_queue.h] Single thread; nothing here is a system call but map().
template <class Entry>
class XdpRing {
 public:
  XdpRing() = default;
  XdpRing(const XdpRing&) = delete;
  XdpRing& operator=(const XdpRing&) = delete;

  ~XdpRing() {
    if (!memory_.empty()) {
      ::munmap(memory_.data(), memory_.size());
    }
  }

  // `count` is what the socket option said: a power of two. False: errno says why.
  [[nodiscard]] bool map(int socket, const xdp_ring_offset& at, std::uint32_t count,
                         std::int64_t page_offset) {
    const std::size_t bytes = at.desc + std::size_t{count} * sizeof(Entry);
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, socket,
                          page_offset);
    if (memory == MAP_FAILED) {
      return false;
    }
    memory_ = {static_cast<std::byte*>(memory), bytes};
    producer_ = reinterpret_cast<std::uint32_t*>(memory_.data() + at.producer);
    consumer_ = reinterpret_cast<std::uint32_t*>(memory_.data() + at.consumer);
    entries_ = reinterpret_cast<Entry*>(memory_.data() + at.desc);
    mask_ = count - 1;
    return true;
  }

  [[nodiscard]] std::uint32_t size() const { return mask_ + 1; }

  // --- where the kernel produces (receive, completion) ---

  // How many entries wait. What the kernel wrote before it counted up is visible after this.
  [[nodiscard]] std::uint32_t waiting() const {
    return producer_ == nullptr
               ? 0
               : std::atomic_ref(*producer_).load(std::memory_order_acquire) - here_;
  }

  // The entry `ahead` behind the next one.
  [[nodiscard]] const Entry& peek(std::uint32_t ahead = 0) const {
    return entries_[(here_ + ahead) & mask_];
  }

  void pop() { ++here_; }

  // Gives the entries that were popped back to the kernel.
  void publish_popped() { std::atomic_ref(*consumer_).store(here_, std::memory_order_release); }

  // --- where we produce (fill, send) ---

  // How far the kernel says it has come.
  [[nodiscard]] std::uint32_t consumed() const {
    return std::atomic_ref(*consumer_).load(std::memory_order_acquire);
  }

  // How far we have: the number of the next entry.
  [[nodiscard]] std::uint32_t produced() const { return here_; }

  [[nodiscard]] Entry& at(std::uint32_t number) { return entries_[number & mask_]; }

  void push(const Entry& entry) { entries_[here_++ & mask_] = entry; }

  // Takes back the last ones, which were not published.
  void unpush(std::uint32_t count) { here_ -= count; }

  void publish_pushed() { std::atomic_ref(*producer_).store(here_, std::memory_order_release); }

 private:
  std::span<std::byte> memory_;
  std::uint32_t* producer_ = nullptr;
  std::uint32_t* consumer_ = nullptr;
  Entry* entries_ = nullptr;
  std::uint32_t mask_ = 0;
  std::uint32_t here_ = 0;
};

}  // namespace aoe::net
