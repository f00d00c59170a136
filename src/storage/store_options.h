// What the user says about a store besides its name.
#pragma once

#include <cstdint>
#include <optional>

namespace aoe::storage {

enum class Access : std::uint8_t { read_write, read_only };

// automatic: direct for block devices, buffered for regular files. Readers of a file then share the
// page cache, which is what a boot image served to a rack needs, and nothing is lost by it:
// durability comes from fdatasync and not from the way the bytes were written.
//
// With a cache of our own, direct for files, too, where that can be done: each block is in memory
// once.
enum class DirectIo : std::uint8_t { off, on, automatic };

// on: latencies and counts of each kind of operation, about 20 KiB a store.
enum class Statistics : std::uint8_t { off, on };

struct StoreOptions {
  Access access = Access::read_write;
  DirectIo direct = DirectIo::automatic;          // files and devices
  std::uint64_t offset_sectors = 0;               // files and devices: the window served
  std::optional<std::uint64_t> length_sectors{};  // none: to the end, and growing with it
  std::uint64_t cache_bytes = 0;                  // files and devices: a CacheStore; 0: none
  std::uint32_t in_flight_max = 128;              // 2..4096
  Statistics statistics = Statistics::off;
};

}  // namespace aoe::storage
