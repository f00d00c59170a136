// Whether a frame may be sent now, and over which path.
#pragma once

#include "initiator/core_context.h"
#include "initiator/flight.h"
#include "initiator/index_list.h"
#include "initiator/shelf_table.h"

#include <cstdint>
#include <optional>

namespace aoe::initiator {

// Three windows must have room: the path's and the shelf's, which losses teach, and the device's,
// which the round trips teach. Knows when each grows and shrinks, and nothing of requests.
class FlowControl {
 public:
  explicit FlowControl(const CoreContext& context)
      : context_(context), shelves_(context.options.limits.devices_max) {}

  // The device sends no more.
  void close(Device& device);

  struct Wish {
    std::uint32_t sectors = 0;       // that the frame carries; 0: any path will do
    std::uint32_t avoid = kNoIndex;  // a path that just lost it
  };

  enum class Answer : std::uint8_t {
    granted,
    no_path,      // none can carry it, or has room
    device_full,  // until an answer
    shelf_full,   // until an answer of any device of the shelf
    pause,        // until `until`
  };

  struct Permission {
    Answer answer = Answer::no_path;
    std::uint32_t path = 0;
    Instant until{};
  };

  [[nodiscard]] Permission ask(Instant now, Device& device, const Wish& wish);

  void on_sent(Device& device, Path& path);

  // The frame is not in flight any more, however that came.
  void on_left(Device& device, Path& path);

  // A frame of kind `op` was answered. Without a round trip, when that is ambiguous.
  void on_answer(Instant now, Device& device, Path& path, FrameOp op,
                 std::optional<Duration> round_trip);

  // A data frame sent at `sent` is taken for lost.
  void on_lost(Instant now, Device& device, Path& path, FrameOp op, Instant sent);
  // A frame was taken for lost and answered at `age` after all: windows that were cut for it grow
  // back.
  void on_false_alarm(Device& device, Path& path, Duration age);
  // Nothing at all comes from the device.
  void on_silence(Instant now, Device& device);

  // For Flight::judge().
  [[nodiscard]] Flight::Timing timing(const Device& device, const Path& path) const {
    return {.usual = path.rtt.srtt(),
            .quiet = device.flow().timer(path.rtt).rto(),
            .patience = device.flow().patience(path.rtt),
            .patience_max = context_.options.rtt.max};
  }

  // Of the device's shelf; it must have sent something.
  [[nodiscard]] ShelfState& shelf(Device& device) { return shelves_.at(device.flow().shelf); }

 private:
  [[nodiscard]] static DelayWindow::Surroundings surroundings(Instant now, const Device& device,
                                                              const ShelfState& shelf,
                                                              const Path& path, FrameOp op);
  CoreContext context_;
  ShelfTable shelves_;
};

}  // namespace aoe::initiator
