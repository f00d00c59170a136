// Layers on disk: what was written over a base without touching it. Pure: bytes in, values out.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "storage/layer_map.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace aoe::storage {

// A layer is one sparse file (docs/VOLUMES.md):
//
//     0        header, twice: the newer valid one counts
//     64 KiB   data: sector n of the base stands at n * 512 from here, where the map has it
//     behind   map: blocks of 512 bytes, appended, each with its number, epoch and CRC-32C
//
// All numbers are little-endian.
inline constexpr std::uint64_t kLayerDataOffsetBytes = std::uint64_t{64} << 10U;
inline constexpr std::size_t kLayerHeaderBytes = 512;
inline constexpr std::uint64_t kLayerHeaderStrideBytes = 4096;
inline constexpr std::size_t kMapBlockBytes = 512;
inline constexpr std::size_t kExtentsPerMapBlock = 30;

// What a layer is for.
enum class LayerPurpose : std::uint8_t { shadow = 1, overlay = 2, snapshot = 3 };

enum class LayerState : std::uint8_t {
  preparing = 1,  // made, but nothing was written into it: it may go
  active = 2,     // takes all writes; the base stays as it is
  merging = 3,    // goes into the base, sector by sector
  merged = 4,     // all of it is in the base: it may go
};

struct LayerId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const LayerId&, const LayerId&) = default;
};

// 32 hexadecimal digits.
[[nodiscard]] std::string to_string(const LayerId& id);

// What a layer lies over. A layer over another base would make nonsense of both.
struct BaseIdentity {
  std::uint64_t sectors = 0;
  std::uint64_t name_hash = 0;  // of the store and its window, as configured
  std::uint64_t version = 0;    // changes when somebody writes to the base; 0: not looked at
  friend bool operator==(const BaseIdentity&, const BaseIdentity&) = default;
};

struct LayerHeader {
  LayerPurpose purpose = LayerPurpose::shadow;
  LayerState state = LayerState::preparing;
  LayerId id;
  BaseIdentity base;
  MacAddress initiator;  // of an overlay: whose it is
  // Grows with every header written.
  std::uint64_t generation = 0;
  // Grows with every opening, before the first map block of that opening: blocks that an
  // interrupted append of an earlier opening left behind the end never count.
  std::uint32_t epoch = 0;
  // Sectors below it are in the base, whatever the map says.
  std::uint64_t merged_until = 0;
  std::uint64_t created_unix_seconds = 0;
  friend bool operator==(const LayerHeader&, const LayerHeader&) = default;
};

// Where the parts of a layer over a base of so many sectors stand.
struct LayerLayout {
  std::uint64_t map_offset_bytes = 0;
  std::uint64_t map_blocks = 0;  // enough in any case: every block maps a sector for the first time
  std::uint64_t file_bytes = 0;
};

[[nodiscard]] LayerLayout layer_layout(std::uint64_t base_sectors);

// Where the header of a generation is written: they take turns, so that the older one survives.
[[nodiscard]] constexpr std::uint64_t header_offset_bytes(std::uint64_t generation) {
  return generation % 2 * kLayerHeaderStrideBytes;
}

[[nodiscard]] std::array<std::byte, kLayerHeaderBytes> encode_header(const LayerHeader& header);
// corrupt: no header, damaged, or of a version that this program does not know.
[[nodiscard]] Result<LayerHeader> decode_header(ConstByteSpan bytes);

// What a map block carries besides its extents.
struct MapPosition {
  LayerId id;
  std::uint32_t epoch = 0;
  std::uint64_t index = 0;   // of the first block
  std::uint64_t commit = 0;  // blocks that were made durable together have the same
};

// As many blocks as the extents need, one behind the other, appended to `out`; returns how many.
std::size_t encode_map_blocks(const MapPosition& first, std::span<const SectorExtent> extents,
                              std::vector<std::byte>& out);

// Reads bytes of the file; offset and length lie inside of it.
using LayerReader = std::function<Result<void>(std::uint64_t offset_bytes, ByteSpan to)>;

struct ReplayedLayer {
  LayerHeader header;
  LayerMap map;  // without what is merged
  std::uint64_t next_map_block = 0;
  std::uint64_t next_commit = 1;
  bool had_torn_tail = false;  // an append was interrupted: cut off
};

// Header alone. `name` is for messages.
[[nodiscard]] Result<LayerHeader> read_layer_header(const std::string& name,
                                                    const LayerReader& read);
// Everything. corrupt: a block in the middle is damaged, so that what was acknowledged is missing;
// or the map leads outside. A torn end is no error.
[[nodiscard]] Result<ReplayedLayer> replay_layer(const std::string& name, const LayerReader& read,
                                                 std::uint64_t file_bytes);

// Refuses a layer that lies over something else. `name` and `base_name` are for messages.
struct LayerNames {
  std::string layer;
  std::string base;
};

[[nodiscard]] Result<void> check_base(const LayerHeader& header, const BaseIdentity& base,
                                      const LayerNames& names);

}  // namespace aoe::storage
