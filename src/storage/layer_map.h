// Which sectors a layer has. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace aoe::storage {

struct SectorExtent {
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  [[nodiscard]] constexpr std::uint64_t end() const { return first + count; }

  friend bool operator==(const SectorExtent&, const SectorExtent&) = default;
};

// One bit a sector, in chunks that exist only where something is mapped: 4 KiB of memory for every
// 16 MiB of disk that is written to.
class LayerMap {
 public:
  LayerMap() = default;
  explicit LayerMap(std::uint64_t sectors);

  [[nodiscard]] std::uint64_t sectors() const { return sectors_; }

  [[nodiscard]] std::uint64_t mapped_sectors() const { return mapped_; }

  // Extents lie inside sectors().
  void set(const SectorExtent& extent);
  void clear(const SectorExtent& extent);

  // What the sector at extent.first is, and how far the same goes on inside of the extent.
  struct Run {
    bool is_mapped = false;
    SectorExtent extent;
  };

  [[nodiscard]] Run run_at(const SectorExtent& extent) const;

  // The first mapped sector from there on.
  [[nodiscard]] std::optional<std::uint64_t> next_mapped(std::uint64_t from) const;

  friend bool operator==(const LayerMap& a, const LayerMap& b);

 private:
  static constexpr std::uint64_t kWordBits = 64;
  static constexpr std::uint64_t kChunkWords = 512;
  static constexpr std::uint64_t kChunkSectors = kWordBits * kChunkWords;

  struct Chunk {
    std::array<std::uint64_t, kChunkWords> words{};
    std::uint32_t used = 0;  // bits set
  };

  [[nodiscard]] std::uint64_t word_at(std::uint64_t sector) const;
  // First sector in [from, end) whose bit is `wanted`, or end.
  [[nodiscard]] std::uint64_t find(std::uint64_t from, std::uint64_t end, bool wanted) const;

  std::uint64_t sectors_ = 0;
  std::uint64_t mapped_ = 0;
  std::vector<std::unique_ptr<Chunk>> chunks_;
};

}  // namespace aoe::storage
