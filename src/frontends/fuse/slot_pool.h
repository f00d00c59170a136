// Memory for requests of the kernel, made once.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "os/mapped_memory.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::fuse {

inline constexpr std::uint32_t kNoSlot = 0xFFFFFFFF;

// What a request waits for.
enum class Step : std::uint8_t {
  none,
  read,
  read_head,  // of a write that begins inside a sector
  read_tail,  // of a write that ends inside another one
  write,
  sync,
  discard,
  event,  // a reader of `err`
};

// What is known of the request in a slot.
struct PooledRequest {
  std::uint64_t unique = 0;  // the kernel's number of the request
  DeviceAddress address{};
  Step step = Step::none;
  bool is_durable = false;
  bool holds_sectors = false;    // reads, changes and writes back: others wait meanwhile
  std::uint64_t offset = 0;      // of the file, in bytes
  std::uint32_t bytes = 0;       // of the file
  std::size_t data_at = 0;       // of these bytes in the buffer
  std::uint32_t next = kNoSlot;  // of a queue
  std::array<std::byte, kSectorBytes> edge{};
};

// Each slot has a buffer: first room for what may have to stand before the data, then the request
// as the kernel wrote it.
class SlotPool {
 public:
  static constexpr std::size_t kHeadRoomBytes = 4096;

  // `request_bytes_max`: of a request with all its headers. Errors: no_space.
  [[nodiscard]] static Result<SlotPool> create(std::uint32_t slots, std::size_t request_bytes_max);

  // nullopt: all are in use.
  [[nodiscard]] std::optional<std::uint32_t> take();
  void give_back(std::uint32_t slot);

  [[nodiscard]] PooledRequest& at(std::uint32_t slot) { return slots_[slot]; }

  [[nodiscard]] ByteSpan buffer(std::uint32_t slot) {
    return memory_.bytes().subspan(slot * slot_bytes_, slot_bytes_);
  }

  // Where a request is read to.
  [[nodiscard]] ByteSpan request(std::uint32_t slot) {
    return buffer(slot).subspan(kHeadRoomBytes, request_bytes_max_);
  }

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(slots_.size()); }

  [[nodiscard]] std::size_t in_use() const { return slots_.size() - free_.size(); }

  [[nodiscard]] bool has_free() const { return !free_.empty(); }

 private:
  SlotPool(os::MappedMemory memory, std::uint32_t slots, std::size_t slot_bytes,
           std::size_t request_bytes_max);

  os::MappedMemory memory_;
  std::size_t slot_bytes_ = 0;
  std::size_t request_bytes_max_ = 0;
  std::vector<PooledRequest> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace aoe::fuse
