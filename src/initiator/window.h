// How many frames may be in flight on one path.
#pragma once

#include "base/time.h"

#include <cstdint>

namespace aoe::initiator {

// Additive increase, multiplicative decrease: slow start from 4 frames, halving at most once a
// round trip, then one frame more a round trip. The target's buffer count is an upper bound only:
// it does not know of its other initiators (with 3 slots, 2 links and 4 hosts the sum was 1536
// frames for a target that holds 64).
class Window {
 public:
  static constexpr std::uint32_t kStartFrames = 4;
  static constexpr std::uint32_t kNoLimit = 0xFFFFFFFF;

  // `limit` frames at most; 0 counts as 1, because a target that advertises no buffer still answers
  // one frame at a time.
  explicit Window(std::uint32_t limit) { set_limit(limit); }

  // Growing the limit does not grow the window; shrinking it does shrink it.
  void set_limit(std::uint32_t limit);

  [[nodiscard]] std::uint32_t limit() const { return limit_; }

  [[nodiscard]] std::uint32_t frames() const { return frames_; }

  [[nodiscard]] bool has_room(std::uint32_t in_flight) const { return in_flight < frames_; }

  // A frame was sent; `in_flight` counts it. When the window is full then, each of the frames in it
  // may make it grow once: a window that was not used proved nothing.
  void on_sent(std::uint32_t in_flight);
  void on_answer();

  // A frame sent at `sent` is taken for lost at `now`. True when this is a new congestion event;
  // frames sent before the last cut belong to that one.
  [[nodiscard]] bool on_loss(Instant sent, Instant now);

  // Back to the start, for a path that was down.
  void reset();

 private:
  std::uint32_t limit_ = 1;
  std::uint32_t frames_ = kStartFrames;
  std::uint32_t slow_start_until_ = 0xFFFFFFFF;
  std::uint32_t answers_until_growth_ = 0;
  std::uint32_t growing_answers_ = 0;  // answers that still prove a full window
  Instant last_cut_;
};

}  // namespace aoe::initiator
