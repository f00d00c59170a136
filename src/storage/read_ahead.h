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
  ReadAhead();

  // These blocks are being read. Returns those to fetch besides, often none. What is returned once
  // is not returned again while the stream goes on.
  [[nodiscard]] BlockRange advise(BlockRange read);

 private:
  static constexpr std::size_t kStreams = 16;
  static constexpr std::uint64_t kDisorderBlocks = 64;    // 256 KiB
  static constexpr std::uint64_t kProofBlocks = 8;        // read in a row before it is a stream
  static constexpr std::uint64_t kWindowBlocksMin = 16;   // 64 KiB
  static constexpr std::uint64_t kWindowBlocksMax = 256;  // 1 MiB

  // Where no block is: next of a stream that is not in use.
  static constexpr std::uint64_t kNowhere = std::uint64_t{1} << 63U;

  struct Stream {
    std::uint64_t fetched = 0;  // behind the farthest block that was advised
    std::uint64_t run = 0;      // blocks since it began
  };

  [[nodiscard]] std::size_t find(BlockRange read) const;
  void used(std::size_t stream);

  // Behind the farthest block that was read. Apart from the rest: every read looks at all of them.
  std::array<std::uint64_t, kStreams> next_{};
  std::array<Stream, kStreams> streams_{};
  std::array<std::uint8_t, kStreams> order_{};  // the streams, the one used last first
};

}  // namespace aoe::storage
