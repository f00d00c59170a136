#include "storage/read_ahead.h"

#include <algorithm>
#include <numeric>

namespace aoe::storage {

ReadAhead::ReadAhead() {
  next_.fill(kNowhere);
  std::iota(order_.begin(), order_.end(), std::uint8_t{0});
}

// The stream that goes on with this read, or kStreams.
std::size_t ReadAhead::find(BlockRange read) const {
  // read.begin <= next + kDisorderBlocks and next <= read.end + kDisorderBlocks, in one comparison.
  const std::uint64_t room_blocks = read.end - read.begin + 2 * kDisorderBlocks;
  const auto* const found = std::find_if(next_.begin(), next_.end(), [&](std::uint64_t next) {
    return next + kDisorderBlocks - read.begin <= room_blocks;
  });
  return static_cast<std::size_t>(found - next_.begin());
}

void ReadAhead::used(std::size_t stream) {
  auto* const place = std::find(order_.begin(), order_.end(), static_cast<std::uint8_t>(stream));
  std::copy_backward(order_.begin(), place, place + 1);
  order_.front() = static_cast<std::uint8_t>(stream);
}

BlockRange ReadAhead::advise(BlockRange read) {
  const std::size_t index = find(read);
  if (index == kStreams) {
    const std::size_t oldest = order_.back();
    used(oldest);
    next_[oldest] = read.end;
    streams_[oldest] = {.fetched = read.end, .run = read.end - read.begin};
    return {};
  }
  used(index);
  Stream& stream = streams_[index];
  std::uint64_t& next = next_[index];
  if (read.end <= next) {
    return {};  // one that comes late, or the same once more
  }
  stream.run += read.end - next;
  next = read.end;
  stream.fetched = std::max(stream.fetched, next);
  const std::uint64_t window = std::clamp(stream.run, kWindowBlocksMin, kWindowBlocksMax);
  if (stream.run < kProofBlocks || stream.fetched - next >= window / 2) {
    return {};
  }
  const BlockRange advice{stream.fetched, next + window};
  stream.fetched = advice.end;
  return advice;
}

}  // namespace aoe::storage
