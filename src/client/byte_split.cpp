#include "client/byte_split.h"

#include <algorithm>

namespace aoe::client {

ByteSplit split_bytes(std::uint64_t offset, std::uint64_t bytes) {
  ByteSplit split;
  std::uint64_t done = 0;
  if (const std::uint64_t begin = offset % kSectorBytes; begin != 0 || bytes < kSectorBytes) {
    const std::uint64_t inside = std::min<std::uint64_t>(bytes, kSectorBytes - begin);
    split.head = {
        .lba = Lba{offset / kSectorBytes}, .begin = begin, .bytes = inside, .range_begin = 0};
    done = inside;
  }
  split.middle = {.lba = Lba{(offset + done) / kSectorBytes},
                  .sectors = (bytes - done) / kSectorBytes,
                  .range_begin = done};
  done += split.middle.sectors * kSectorBytes;
  if (done < bytes) {
    split.tail = {.lba = Lba{(offset + done) / kSectorBytes},
                  .begin = 0,
                  .bytes = bytes - done,
                  .range_begin = done};
  }
  return split;
}

}  // namespace aoe::client
