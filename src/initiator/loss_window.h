// How many frames may be in flight, as losses teach it.
#pragma once

#include "base/time.h"

#include <cstdint>

namespace aoe::initiator {

// One for each path, which may be narrow, and one for each shelf, whose buffers all its slots share
// whatever the way to them. (The Linux driver has one for each MAC of each slot: with 3 slots,
// 2 links and 4 hosts they summed up to 1536 frames for a target that holds 64.)
//
// Slow start from 4 frames; a cut to 7/10 at most once a round trip; then back along a cubic curve
// of time (RFC 9438): quickly at first, flat around the size at which frames were lost, quickly
// again when nothing happens there. Growth by time and not by round trips matters here: they take
// 50 us on one target and 500 ms on another, and a frame more each 50 us would mean a loss every
// few milliseconds. The target's buffer count is an upper bound only: it does not know of its other
// initiators.
//
// Below one frame the window is a share of the time: 1/4 means one frame in flight a quarter of the
// time. Needed where more hosts than buffers share a shelf.
class LossWindow {
 public:
  static constexpr std::uint32_t kStartFrames = 4;
  static constexpr std::uint32_t kNoLimit = 0xFFFFFFFF;
  static constexpr double kFramesMin = 1.0 / 16;

  // `limit` frames at most; 0 counts as 1, because a target that advertises no buffer still answers
  // one frame at a time.
  explicit LossWindow(std::uint32_t limit, std::uint32_t start = kStartFrames) : size_(start) {
    set_limit(limit);
  }

  // Growing the limit does not grow the window; shrinking it does shrink it.
  void set_limit(std::uint32_t limit);

  [[nodiscard]] std::uint32_t limit() const { return limit_; }

  // Whole frames, at least 1.
  [[nodiscard]] std::uint32_t frames() const {
    return size_ < 2 ? 1 : static_cast<std::uint32_t>(size_);
  }

  [[nodiscard]] double size() const { return size_; }

  [[nodiscard]] bool has_room(std::uint32_t in_flight) const { return in_flight < frames(); }

  // A frame was sent; `in_flight` counts it. When the window is full then, each of the frames in it
  // may make it grow once: a window that was not used proved nothing.
  void on_sent(std::uint32_t in_flight);
  void on_answer(Instant now);

  // A frame sent at `sent` was lost to congestion. True when this is a new event and the window was
  // cut; frames sent before the last cut belong to that one.
  [[nodiscard]] bool on_loss(Instant sent, Instant now);

  // Answers come late: no more slow start.
  void end_slow_start();

  [[nodiscard]] bool in_slow_start() const { return size_ < slow_start_until_; }

  // Up to where slow start goes, at most the limit.
  [[nodiscard]] std::uint32_t slow_start_frames() const {
    return slow_start_until_ < limit_ ? static_cast<std::uint32_t>(slow_start_until_) : limit_;
  }

  // The frame that caused the last cut was not lost.
  void undo_cut();

  // Nothing at all is answered: back to the start, and in slow start up to where it was cut.
  void on_silence(Instant now);

  // Back to the start, for a path that was down.
  void reset();

 private:
  [[nodiscard]] double cubic_step() const;
  void restart_curve();

  std::uint32_t limit_ = 1;
  double size_ = kStartFrames;
  double slow_start_until_ = kNoLimit;
  double plateau_ = 0;     // where it was cut
  double before_cut_ = 0;  // 0: nothing to undo
  Instant last_cut_;
  double curve_seconds_ = 0;  // along the cubic curve; only counts while it is used
  Instant last_answer_;
  std::uint32_t growing_answers_ = 0;  // answers that still prove a full window
};

}  // namespace aoe::initiator
