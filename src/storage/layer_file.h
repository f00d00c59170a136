// Layers as files: made, read, opened and removed. All but open_layer block, and may run on any
// thread.
#pragma once

#include "base/result.h"
#include "storage/io_engine.h"
#include "storage/layer_format.h"
#include "storage/layered_store.h"

#include <cstdint>
#include <string>

namespace aoe::storage {

// Makes the file, sparse and stable with its name. A layer that has ended (or never began) is
// replaced; already_exists: something else is there.
[[nodiscard]] Result<void> make_layer(const std::string& path, const LayerHeader& header);

// not_found: there is none. corrupt: see replay_layer.
[[nodiscard]] Result<LayerHeader> peek_layer(const std::string& path);
[[nodiscard]] Result<ReplayedLayer> load_layer(const std::string& path);

// To be put over a store with the same bound on operations in flight.
[[nodiscard]] Result<OpenedLayer> open_layer(const std::string& path, ReplayedLayer content,
                                             std::uint32_t in_flight_max, IoEngine& engine);

// Stable when it returns. No error when there is none.
[[nodiscard]] Result<void> remove_layer(const std::string& path);

}  // namespace aoe::storage
