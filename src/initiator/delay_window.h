// How many frames of one device may be in flight, as the round trips teach it.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <optional>

namespace aoe::initiator {

// Keeps the queue of a disk that several hosts share short, and the same for each of them, without
// a loss. All hosts see the same queue, so a rule that gives every round trip one window gives all
// of them the same window: for a window of w frames there is a round trip to aim at,
//
//   w     64 .. 2     1    1/2    1/4    1/8    1/16
//   aim   10 .. 20   32     44     56     68      80 ms
//
// longer for small windows. When answers come sooner the window grows, in proportion to how much,
// and when later it shrinks; a round trip twice as long as the aim weighs no more than the disk
// that took a second. (LEDBAT and Swift aim at delays too; that small windows aim at longer ones is
// Swift's idea.)
//
// Below one frame it is not the frame that is cut but the time: after each answer the device pauses
// for 1/w - 1 times the aim. The pause counts from the answer, so a long queue slows the hosts down
// at once, before any window has changed.
//
// Two things the table cannot know. A quick shelf overflows at short delays: the aims are scaled
// down by what its losses taught (ShelfEvidence). And a slow store with many hands answers late
// without any queue: where no answer comes within 40 ms, no aim is below twice the quickest one.
// That one may have been late because of a queue, though, where the device never was idle; so
// losses to congestion end this for ten minutes, in which a host among many finds a quicker one. (A
// store that needs 20..40 ms for every answer, however few, is taken for a crowded disk and gets
// few frames, unless it is known to commit many together: then no aim is ever below twice the least
// mean.)
class DelayWindow {
 public:
  static constexpr double kStartFrames = 2;
  static constexpr double kFramesMin = 1.0 / 32;
  static constexpr Duration kDistrust = Duration::seconds(600);

  // What the aim depends on besides the window.
  struct Surroundings {
    Duration network{};                // of the round trip: not the disk's doing
    Duration least{};                  // that round trips of this kind have been in the mean
    Duration quickest{};               // of this kind
    double scale = 1;                  // of the table, at most 1
    std::uint32_t limit = 0xFFFFFFFF;  // frames
    // The store needs as long for many frames as for one: what one takes is no queue, however long.
    bool commits_together = false;
  };

  [[nodiscard]] double size() const { return size_; }

  // Whole frames that may be in flight now; above 1 the fraction is granted as one frame more now
  // and then.
  [[nodiscard]] std::uint32_t frames() const;

  // Until when a window below one frame pauses; zero: not at all.
  [[nodiscard]] Instant pause_ends() const { return pause_ends_; }

  // A frame was sent; `in_flight` counts it.
  void on_sent(std::uint32_t in_flight);
  // An answer after `round_trip`, absent when that says nothing.
  void on_answer(Instant now, std::optional<Duration> round_trip, const Surroundings& around);
  // A frame will not be answered: the pause begins as with an answer.
  void on_gone(Instant now, const Surroundings& around);

  // Frames of the shelf are lost to congestion.
  void on_congestion(Instant now) { distrusted_until_ = now + kDistrust; }

  // The round trip to aim at with the present window.
  [[nodiscard]] Duration aim(Instant now, const Surroundings& around) const;
  // The same if the quickest answer were distrusted.
  [[nodiscard]] Duration cautious_aim(const Surroundings& around) const;

 private:
  void begin_pause(Instant now, const Surroundings& around);

  double size_ = kStartFrames;
  double credit_ = 0;                  // towards the next frame above the whole ones
  std::uint32_t growing_answers_ = 0;  // answers that still prove a full window
  Instant pause_ends_;
  Instant distrusted_until_;
};

}  // namespace aoe::initiator
