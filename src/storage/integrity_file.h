// The file of a store's checksums: made, and opened.
#pragma once

#include "base/result.h"
#include "storage/block_store.h"
#include "storage/integrity_format.h"
#include "storage/io_engine.h"

#include <cstdint>
#include <memory>
#include <string>

namespace aoe::storage {

struct OpenedSums {
  std::unique_ptr<BlockStore> file;  // gives Durability::stable itself
  std::uint64_t capacity_sectors = 0;
  bool is_new = false;  // it knows nothing yet
};

struct SumsRequest {
  std::string path;
  std::uint64_t name_hash = 0;  // of the store and its window
  std::uint64_t base_sectors = 0;
  std::uint32_t in_flight_max = 0;
};

// Makes the file, sparse and stable with its name, where there is none, with room for the store to
// grow. invalid_argument: it is another store's, or too small; corrupt. Blocks.
[[nodiscard]] Result<OpenedSums> open_sums(const SumsRequest& request, IoEngine& engine);

}  // namespace aoe::storage
