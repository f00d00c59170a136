#include "storage/layer_map.h"

#include "base/check.h"

#include <algorithm>
#include <bit>

namespace aoe::storage {

namespace {

// Bits [first, first + count) of a word; count 1..64 and inside.
constexpr std::uint64_t mask_of(std::uint64_t first, std::uint64_t count) {
  return (count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1) << first;
}

}  // namespace

LayerMap::LayerMap(std::uint64_t sectors)
    : sectors_(sectors), chunks_((sectors + kChunkSectors - 1) / kChunkSectors) {}

void LayerMap::set(const SectorExtent& extent) {
  AOE_CHECK(extent.count <= sectors_ && extent.first <= sectors_ - extent.count,
            "the caller checked the range");
  for (std::uint64_t at = extent.first; at < extent.end();) {
    const std::uint64_t bit = at % kWordBits;
    const std::uint64_t count = std::min(kWordBits - bit, extent.end() - at);
    auto& chunk = chunks_[at / kChunkSectors];
    if (chunk == nullptr) {
      chunk = std::make_unique<Chunk>();
    }
    std::uint64_t& word = chunk->words[at / kWordBits % kChunkWords];
    const std::uint64_t added = mask_of(bit, count) & ~word;
    word |= added;
    const auto bits = static_cast<std::uint32_t>(std::popcount(added));
    chunk->used += bits;
    mapped_ += bits;
    at += count;
  }
}

void LayerMap::clear(const SectorExtent& extent) {
  AOE_CHECK(extent.count <= sectors_ && extent.first <= sectors_ - extent.count,
            "the caller checked the range");
  for (std::uint64_t at = extent.first; at < extent.end();) {
    auto& chunk = chunks_[at / kChunkSectors];
    if (chunk == nullptr) {
      at = (at / kChunkSectors + 1) * kChunkSectors;
      continue;
    }
    const std::uint64_t bit = at % kWordBits;
    const std::uint64_t count = std::min(kWordBits - bit, extent.end() - at);
    std::uint64_t& word = chunk->words[at / kWordBits % kChunkWords];
    const std::uint64_t removed = mask_of(bit, count) & word;
    word &= ~removed;
    const auto bits = static_cast<std::uint32_t>(std::popcount(removed));
    chunk->used -= bits;
    mapped_ -= bits;
    if (chunk->used == 0) {
      chunk.reset();
    }
    at += count;
  }
}

LayerMap::Run LayerMap::run_at(const SectorExtent& extent) const {
  Run run;
  run.is_mapped = (word_at(extent.first) >> (extent.first % kWordBits) & 1U) != 0;
  const std::uint64_t end = find(extent.first, extent.end(), !run.is_mapped);
  run.extent = {extent.first, end - extent.first};
  return run;
}

std::optional<std::uint64_t> LayerMap::next_mapped(std::uint64_t from) const {
  const std::uint64_t found = find(std::min(from, sectors_), sectors_, true);
  return found == sectors_ ? std::nullopt : std::optional(found);
}

std::uint64_t LayerMap::word_at(std::uint64_t sector) const {
  const auto& chunk = chunks_[sector / kChunkSectors];
  return chunk == nullptr ? 0 : chunk->words[sector / kWordBits % kChunkWords];
}

std::uint64_t LayerMap::find(std::uint64_t from, std::uint64_t end, bool wanted) const {
  while (from < end) {
    if (chunks_[from / kChunkSectors] == nullptr) {
      if (!wanted) {
        return from;
      }
      from = (from / kChunkSectors + 1) * kChunkSectors;
      continue;
    }
    const std::uint64_t word = wanted ? word_at(from) : ~word_at(from);
    const std::uint64_t rest = word >> (from % kWordBits);
    if (rest != 0) {
      return std::min(end, from + static_cast<std::uint64_t>(std::countr_zero(rest)));
    }
    from = (from / kWordBits + 1) * kWordBits;
  }
  return end;
}

bool operator==(const LayerMap& a, const LayerMap& b) {
  if (a.sectors_ != b.sectors_ || a.mapped_ != b.mapped_) {
    return false;
  }
  for (std::size_t i = 0; i < a.chunks_.size(); ++i) {
    const auto& left = a.chunks_[i];
    const auto& right = b.chunks_[i];
    if ((left == nullptr) != (right == nullptr) ||
        (left != nullptr && left->words != right->words)) {
      return false;
    }
  }
  return true;
}

}  // namespace aoe::storage
