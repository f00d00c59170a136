// Which snapshots an export has: what a start has to know before it serves.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "storage/layer_format.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aoe::targetd {

enum class SnapshotKind : std::uint8_t {
  layer,  // what lies below a layer, whose file is named
  clone,  // a file of its own, which shares the blocks that have not changed since (reflink)
};

struct SnapshotEntry {
  DeviceAddress address;  // where it is exported
  SnapshotKind kind = SnapshotKind::layer;
  bool is_going = false;  // it was deleted, and what it needed is not given back yet
  storage::LayerId layer;
  std::uint64_t created_unix_seconds = 0;
  std::string path;
  friend bool operator==(const SnapshotEntry&, const SnapshotEntry&) = default;
};

// Stands in the state directory, stable, before the first write can go into a layer that it names,
// and until that is merged. The oldest comes first: that is the order of the layers.
struct SnapshotRecord {
  static constexpr std::size_t kEntriesMax = 32;

  std::vector<SnapshotEntry> entries;

  [[nodiscard]] std::string encode() const;
  // Nothing for text that is no record.
  [[nodiscard]] static std::optional<SnapshotRecord> decode(ConstByteSpan text);

  friend bool operator==(const SnapshotRecord&, const SnapshotRecord&) = default;
};

}  // namespace aoe::targetd
