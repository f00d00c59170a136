// Sees who reads a disk from front to back, and says what will be asked for next.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace aoe::storage {

struct BlockRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  friend bool operator==(const BlockRange&, const BlockRange&) = default;
};

// Follows a few streams at once. Requests of one stream may come a little out of order: a network
// and a window of requests see to that. Pure, single thread.
class ReadAhead {
 public:
  // These blocks are being read. Returns those to fetch besides, often none. What is returned once
  // is not returned again while the stream goes on.
  [[nodiscard]] BlockRange advise(BlockRange read);

 private:
  static constexpr std::size_t kStreams = 16;
  static constexpr std::uint64_t kDisorderBlocks = 64;    // 256 KiB
  static constexpr std::uint64_t kProofBlocks = 8;        // read in a row before it is a stream
  static constexpr std::uint64_t kWindowBlocksMin = 16;   // 64 KiB
  static constexpr std::uint64_t kWindowBlocksMax = 256;  // 1 MiB

  struct Stream {
    std::uint64_t next = 0;     // behind the farthest block that was read
    std::uint64_t fetched = 0;  // behind the farthest block that was advised
    std::uint64_t run = 0;      // blocks since it began
    std::uint64_t when = 0;     // 0: not in use
  };

  std::array<Stream, kStreams> streams_{};
  std::uint64_t clock_ = 0;
};

}  // namespace aoe::storage
