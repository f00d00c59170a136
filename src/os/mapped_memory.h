// Memory straight from the kernel: page aligned, zero, and backed only where touched.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace aoe::os {

// A private anonymous mapping without swap reservation: a large one costs address space only until
// it is written, and reading an untouched page costs no memory of its own. Move-only.
class MappedMemory {
 public:
  // `what` names the user in an error: "memory:1G". size_bytes 0 is refused.
  static Result<MappedMemory> allocate(std::uint64_t size_bytes, std::string_view what);

  MappedMemory() = default;
  MappedMemory(MappedMemory&& other) noexcept;
  MappedMemory& operator=(MappedMemory&& other) noexcept;
  MappedMemory(const MappedMemory&) = delete;
  MappedMemory& operator=(const MappedMemory&) = delete;
  ~MappedMemory();

  [[nodiscard]] std::span<std::byte> bytes() const { return memory_; }

  // Asks the kernel for large pages: memory that is used all over costs fewer look-ups, memory that
  // is used here and there is wasted. A wish, which the kernel may not grant.
  void prefer_large_pages() const;

  // Gives the pages back to the kernel; they read as zeros again. `pages` lies inside bytes() and
  // starts and ends on page boundaries.
  void forget(std::span<std::byte> pages) const;

  // Writes zeros to a range inside bytes(): whole pages go back to the kernel, the edges are
  // overwritten.
  void zero(std::span<std::byte> range) const;

 private:
  explicit MappedMemory(std::span<std::byte> memory) : memory_(memory) {}

  std::span<std::byte> memory_;
};

// The size of a page of memory, a power of two.
[[nodiscard]] std::size_t page_bytes();

// Whether the first byte lies on a multiple of `alignment_bytes` (a power of two).
[[nodiscard]] bool is_aligned(std::span<const std::byte> memory, std::size_t alignment_bytes);

}  // namespace aoe::os
