#include "initiator/shelf_table.h"

#include "base/check.h"

namespace aoe::initiator {

std::uint32_t ShelfTable::enter(Shelf number) {
  std::uint32_t unused = kNoIndex;
  for (std::uint32_t i = 0; i < shelves_.size(); ++i) {
    ShelfState& shelf = shelves_[i];
    if (shelf.number == number && (shelf.devices > 0 || shelf.evidence.has_learned())) {
      ++shelf.devices;
      return i;
    }
    if (shelf.devices == 0 && unused == kNoIndex) {
      unused = i;
    }
  }
  AOE_CHECK(unused != kNoIndex, "there are as many entries as devices");
  shelves_[unused] = {.number = number, .devices = 1};
  return unused;
}

void ShelfTable::leave(std::uint32_t index) {
  --shelves_[index].devices;
}

}  // namespace aoe::initiator
