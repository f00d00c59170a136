// That an export is frozen, and where its shadow is: what a start has to know before it serves.
#pragma once

#include "base/bytes.h"
#include "storage/layer_format.h"

#include <cstdint>
#include <optional>
#include <string>

namespace aoe::targetd {

// Stands in the state directory, stable, before the first write can go into the shadow, and until
// the shadow has been merged. Without it a shadow that is lost could not be told from none.
struct FreezeRecord {
  storage::LayerId layer;
  std::string shadow;       // path
  bool is_thawing = false;  // the base is between the two states

  [[nodiscard]] std::string encode() const;
  // Nothing for text that is no record.
  [[nodiscard]] static std::optional<FreezeRecord> decode(ConstByteSpan text);

  friend bool operator==(const FreezeRecord&, const FreezeRecord&) = default;
};

}  // namespace aoe::targetd
