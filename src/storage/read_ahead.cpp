#include "storage/read_ahead.h"

#include <algorithm>

namespace aoe::storage {

BlockRange ReadAhead::advise(BlockRange read) {
  ++clock_;
  const auto continues = [&read](const Stream& stream) {
    return stream.when != 0 && read.begin <= stream.next + kDisorderBlocks &&
           read.end + kDisorderBlocks >= stream.next;
  };
  auto* const found = std::find_if(streams_.begin(), streams_.end(), continues);
  if (found == streams_.end()) {
    auto* const oldest =
        std::min_element(streams_.begin(), streams_.end(),
                         [](const Stream& a, const Stream& b) { return a.when < b.when; });
    *oldest = {.next = read.end, .fetched = read.end, .run = read.end - read.begin, .when = clock_};
    return {};
  }
  Stream& stream = *found;
  stream.when = clock_;
  if (read.end <= stream.next) {
    return {};  // one that comes late, or the same once more
  }
  stream.run += read.end - stream.next;
  stream.next = read.end;
  stream.fetched = std::max(stream.fetched, stream.next);
  const std::uint64_t window = std::clamp(stream.run, kWindowBlocksMin, kWindowBlocksMax);
  if (stream.run < kProofBlocks || stream.fetched - stream.next >= window / 2) {
    return {};
  }
  const BlockRange advice{stream.fetched, stream.next + window};
  stream.fetched = advice.end;
  return advice;
}

}  // namespace aoe::storage
