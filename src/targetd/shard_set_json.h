// What all shards together have counted, as the control socket shows it.
#pragma once

#include "control/message.h"
#include "targetd/shard_set.h"

namespace aoe::targetd {

// One entry an interface.
[[nodiscard]] control::Json ports_json(const ShardSet& shards);

// What the cores have counted, exports apart. One entry `shards` with the frames of each.
[[nodiscard]] control::Json core_json(const ShardSet& shards);

// One entry a source address, whichever shards it speaks to.
[[nodiscard]] control::Json initiators_json(const ShardSet& shards);

}  // namespace aoe::targetd
