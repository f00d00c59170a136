// The shelves of the open devices, and what their slots share.
#pragma once

#include "base/ids.h"
#include "base/time.h"
#include "initiator/index_list.h"
#include "initiator/loss_window.h"
#include "initiator/shelf_evidence.h"

#include <cstdint>
#include <vector>

namespace aoe::initiator {

// A target buffers frames for all its slots together, whatever way they come: one window for the
// shelf, besides those of its devices and paths.
struct ShelfState {
  Shelf number{};
  std::uint32_t devices = 0;    // open ones; 0: the entry may be reused
  std::uint32_t in_flight = 0;  // data frames
  LossWindow window{LossWindow::kNoLimit};
  Instant congested{};   // when it last was
  Instant pause_ends{};  // of a window below one frame
  ShelfEvidence evidence{};
  IndexList waiters{};  // devices that found the window full, first come first served
};

// One entry a device at most, so it is never full. What was learned of a shelf stays until the
// entry is needed for another one.
class ShelfTable {
 public:
  explicit ShelfTable(std::uint32_t devices_max) : shelves_(devices_max) {}

  // A device of the shelf was opened: the index of its entry.
  [[nodiscard]] std::uint32_t enter(Shelf number);
  // It was closed; the device waits no more.
  void leave(std::uint32_t index);

  [[nodiscard]] ShelfState& at(std::uint32_t index) { return shelves_[index]; }

  [[nodiscard]] const ShelfState& at(std::uint32_t index) const { return shelves_[index]; }

 private:
  std::vector<ShelfState> shelves_;
};

}  // namespace aoe::initiator
