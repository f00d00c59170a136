// One frame's memory, owned by exactly one place and moved between places.
#pragma once

#include "base/check.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace aoe {

// Who takes a buffer back: a pool, or a port whose ring slot it is. Outlives all its buffers.
class BufferOwner {
 public:
  virtual ~BufferOwner() = default;
  BufferOwner(const BufferOwner&) = delete;
  BufferOwner& operator=(const BufferOwner&) = delete;

  // Called once for every buffer handed out, on the owner's thread.
  virtual void release_buffer(std::uint32_t index) noexcept = 0;

 protected:
  BufferOwner() = default;
};

// A move-only handle on one frame, from the Ethernet destination to the last byte without FCS.
// An empty (moved-from) handle has size 0. Destroying a handle gives the memory back to its owner.
class PacketBuffer {
 public:
  PacketBuffer() = default;

  // `memory` belongs to `owner` under `index`; the frame is its first `size_bytes`.
  PacketBuffer(BufferOwner& owner, std::uint32_t index, std::span<std::byte> memory,
               std::size_t size_bytes)
      : owner_(&owner), index_(index), memory_(memory), size_bytes_(size_bytes) {
    AOE_CHECK(size_bytes <= memory.size(), "a frame lies inside its buffer");
  }

  PacketBuffer(PacketBuffer&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)),
        index_(other.index_),
        waited_ms_(other.waited_ms_),
        memory_(std::exchange(other.memory_, {})),
        size_bytes_(std::exchange(other.size_bytes_, 0)) {}

  PacketBuffer& operator=(PacketBuffer&& other) noexcept {
    if (this != &other) {
      reset();
      owner_ = std::exchange(other.owner_, nullptr);
      index_ = other.index_;
      waited_ms_ = other.waited_ms_;
      memory_ = std::exchange(other.memory_, {});
      size_bytes_ = std::exchange(other.size_bytes_, 0);
    }
    return *this;
  }

  PacketBuffer(const PacketBuffer&) = delete;
  PacketBuffer& operator=(const PacketBuffer&) = delete;

  ~PacketBuffer() { reset(); }

  [[nodiscard]] explicit operator bool() const { return owner_ != nullptr; }

  // The frame. Valid until the handle is destroyed, reset or resized; moving the handle keeps it.
  [[nodiscard]] std::span<std::byte> bytes() { return memory_.first(size_bytes_); }

  [[nodiscard]] std::span<const std::byte> bytes() const { return memory_.first(size_bytes_); }

  [[nodiscard]] std::size_t size() const { return size_bytes_; }

  [[nodiscard]] std::size_t capacity() const { return memory_.size(); }

  // Sets the frame's length, at most capacity(). New bytes hold what was there before: the writer
  // must fill them.
  void resize(std::size_t size_bytes) {
    AOE_CHECK(size_bytes <= memory_.size(), "a frame lies inside its buffer");
    size_bytes_ = size_bytes;
  }

  // How long the frame lay in its port before somebody took it; 0: no time, or nobody looked
  // (PacketPort::time_waiting_frames).
  [[nodiscard]] std::uint32_t waited_ms() const { return waited_ms_; }

  void set_waited_ms(std::uint32_t waited_ms) { waited_ms_ = waited_ms; }

  // Gives the memory back now.
  void reset() noexcept {
    if (owner_ != nullptr) {
      std::exchange(owner_, nullptr)->release_buffer(index_);
      memory_ = {};
      size_bytes_ = 0;
    }
  }

 private:
  BufferOwner* owner_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint32_t waited_ms_ = 0;
  std::span<std::byte> memory_;
  std::size_t size_bytes_ = 0;
};

}  // namespace aoe
