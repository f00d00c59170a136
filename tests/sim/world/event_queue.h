// Virtual time: what happens next, and when.
#pragma once

#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aoe::sim {

// Whoever has something happen to it later. Outlives every event scheduled for it.
class EventHandler {
 public:
  EventHandler() = default;
  virtual ~EventHandler() = default;
  EventHandler(const EventHandler&) = delete;
  EventHandler& operator=(const EventHandler&) = delete;

  // `what` and `value` are the handler's own, as given to schedule().
  virtual void handle_event(Instant now, std::uint32_t what, std::uint64_t value) = 0;
};

// A heap ordered by time and then by the order of scheduling, so that a run is a function of its
// seed. Nothing is ever cancelled: handlers look whether what they once wanted still matters.
class EventQueue {
 public:
  // Time begins at one second: zero is "never" in the cores.
  EventQueue();

  [[nodiscard]] Instant now() const { return now_; }

  // `at` in the past counts as now.
  void schedule(Instant at, EventHandler& handler, std::uint32_t what, std::uint64_t value);

  // Takes and handles the earliest event; false when there is none.
  bool run_next();

  // Handles everything up to and including `end`, and makes it `end`.
  void run_until(Instant end);

  // When the next event is; now() when there is none.
  [[nodiscard]] Instant next_time() const { return heap_.empty() ? now_ : heap_.front().at; }

  [[nodiscard]] bool empty() const { return heap_.empty(); }

  [[nodiscard]] std::uint64_t handled() const { return handled_; }

 private:
  struct Entry {
    Instant at;
    std::uint64_t sequence = 0;
    EventHandler* handler = nullptr;
    std::uint64_t value = 0;
    std::uint32_t what = 0;
  };

  // Four children a node: half the levels of a binary heap, and siblings share cache lines.
  static constexpr std::size_t kArity = 4;

  [[nodiscard]] static bool is_before(const Entry& a, const Entry& b) {
    return a.at != b.at ? a.at < b.at : a.sequence < b.sequence;
  }

  void sift_up(std::size_t hole, const Entry& entry);
  void sift_down(const Entry& entry);

  std::vector<Entry> heap_;
  Instant now_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t handled_ = 0;
};

}  // namespace aoe::sim
