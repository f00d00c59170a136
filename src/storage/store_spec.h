// Stores as users name them, and the one place that knows every backend.
#pragma once

#include "storage/block_store.h"
#include "storage/io_engine.h"
#include "storage/stats_store.h"
#include "storage/store_options.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::storage {

// "file:/srv/a.img" taken apart: a backend's name and what it opens.
struct StoreSpec {
  std::string backend;
  std::string argument;
  friend bool operator==(const StoreSpec&, const StoreSpec&) = default;
};

// PATH, file:PATH, memory:SIZE or null:SIZE; sizes as in base/parse.h. A text is a PATH if it has
// no colon, or a slash before the first one; other paths with a colon are written file:PATH. Looks
// at the text only: whether a path exists shows when it is opened.
//
// rbd:POOL/IMAGE is understood and refused as unsupported.
[[nodiscard]] Result<StoreSpec> parse_store_spec(std::string_view text);

// "file:/srv/a.img": what parse_store_spec turns into the same spec again.
[[nodiscard]] std::string to_string(const StoreSpec& spec);

struct OpenedStore {
  std::unique_ptr<BlockStore> store;
  // For the log, complete sentences as in Error::message: bytes that are not served and the like.
  std::vector<std::string> warnings;
  // The outermost filter of `store` when StoreOptions asked for it, else null. Lives in `store`.
  const StatsStore* stats = nullptr;
};

// Opens the backend and puts the filters on it that it and the options need: group commit on every
// volatile store, so that Durability means what it says; a block cache; read-only; statistics.
// `engine` outlives the store. in_flight_max of the result may be one below the option's.
[[nodiscard]] Result<OpenedStore> open_store(const StoreSpec& spec, const StoreOptions& options,
                                             IoEngine& engine);

}  // namespace aoe::storage
