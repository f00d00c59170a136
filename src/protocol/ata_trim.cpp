#include "protocol/ata_trim.h"

#include <algorithm>

namespace aoe::protocol {
namespace {

void store_entry(ByteSpan blocks, std::size_t index, const TrimRange& range) {
  store_le64(blocks.subspan(index * kTrimEntryBytes, kTrimEntryBytes), 0,
             std::uint64_t{range.sector_count} << 48U | (range.first.value & (kLbaLimit - 1)));
}

}  // namespace

bool TrimRanges::all_within(std::uint64_t capacity_sectors) const {
  for (std::size_t i = 0; i < size(); ++i) {
    const TrimRange range = (*this)[i];
    if (range.sector_count != 0 && range.first.value + range.sector_count > capacity_sectors) {
      return false;
    }
  }
  return true;
}

std::uint64_t TrimRanges::total_sectors() const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    total += (*this)[i].sector_count;
  }
  return total;
}

Result<TrimRanges, WireError> parse_trim(ConstByteSpan data, std::uint8_t block_count) {
  const std::size_t wanted_bytes = std::size_t{block_count} * kSectorBytes;
  if (data.size() < wanted_bytes) {
    return fail(WireError::bad_length);
  }
  return TrimRanges(data.first(wanted_bytes));
}

void build_trim(ByteSpan blocks, std::span<const TrimRange> ranges) {
  fill_zero(blocks);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    store_entry(blocks, i, ranges[i]);
  }
}

std::uint64_t build_trim_extent(ByteSpan blocks, Lba first, std::uint64_t sector_count) {
  fill_zero(blocks);
  std::uint64_t done = 0;
  for (std::size_t i = 0; i < blocks.size() / kTrimEntryBytes && done < sector_count; ++i) {
    const auto count = static_cast<std::uint16_t>(
        std::min<std::uint64_t>(sector_count - done, kTrimEntrySectorsMax));
    store_entry(blocks, i, {.first = Lba{first.value + done}, .sector_count = count});
    done += count;
  }
  return done;
}

}  // namespace aoe::protocol
