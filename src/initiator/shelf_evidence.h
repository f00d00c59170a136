// Whether a loss means that a shelf is full, or only chance.
#pragma once

#include "base/time.h"

namespace aoe::initiator {

// A shelf that drops frames for want of room has a long queue, so its answers come late. What late
// means is the aim of DelayWindow where that is what holds the queue short: then a loss with
// answers in time is chance. Where they come within 5 ms, which no busy spinning disk does, the
// shelf is quick, and late is four times the quickest one of the last minutes; but a queue that
// never was empty does not show, so losses of more than one frame in a hundred over a long time are
// no chance there, unless the windows are as small as a beginner's already: then a network that
// goes on losing does so whatever we send. When many frames are lost at once, that is no chance
// either way.
//
// From the losses of a quick shelf it learns how late the answers of a full one are, and the aims
// of DelayWindow scale with that. It forgets: each minute without congestion doubles the measure.
class ShelfEvidence {
 public:
  enum class Verdict : unsigned char { congestion, chance };

  struct Loss {
    Duration typical{};      // round trips of the device of late; zero: none was measured
    Duration aim{};          // what they should be
    Duration quickest{};     // that any of the last minutes was
    double share = 0;        // of the path's frames that were lost of late, 0..1
    double usual_share = 0;  // the same over a long time
    bool is_small = false;   // the windows that would be cut are as small as those of a beginner
  };

  [[nodiscard]] Verdict judge(Instant now, const Loss& loss);

  // The last loss was none.
  void undo() { belief_ = before_; }

  // Of the table of DelayWindow: 1 for shelves that hold 64 ms or more of work.
  [[nodiscard]] double scale(Instant now) const;

  // Whether anything was learned.
  [[nodiscard]] bool has_learned() const { return belief_.full != Duration{}; }

 private:
  struct Belief {
    Duration full{};  // round trips when it was full; zero: it never was
    Instant at{};
  };

  [[nodiscard]] double full_ns(Instant now) const;

  Belief belief_;
  Belief before_;
};

}  // namespace aoe::initiator
