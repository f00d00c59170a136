// Data whose every sector says where it belongs and which write it is of, so that a read tells
// lost, stale, torn and misplaced writes apart.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"

#include <cstdint>
#include <string>

namespace aoe::tools {

struct PatternStamp {
  std::uint64_t seed = 0;        // of the run
  std::uint32_t generation = 0;  // of the block: counts its writes in this run, from 1
};

// Fills whole sectors that start at `lba`.
void fill_pattern(ByteSpan sectors, Lba lba, const PatternStamp& stamp);

// Empty when all sectors are as fill_pattern() left them, else what is wrong with the first that is
// not: "lba 17: write 3 was lost: holds write 2".
[[nodiscard]] std::string check_pattern(ConstByteSpan sectors, Lba lba, const PatternStamp& stamp);

}  // namespace aoe::tools
