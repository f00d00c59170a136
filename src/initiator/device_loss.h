// What becomes of the requests of a device that no path reaches.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <optional>

namespace aoe::initiator {

// What requests without a path do.
enum class OnPathLoss : std::uint8_t {
  queue,  // wait for a path
  fail,   // fail at once, as after fast_io_fail
};

// The device itself always comes back by itself; this decides only how long its requests wait. (The
// Linux driver gives a device up after 180 s, for good while anybody has it open.)
class DeviceLoss {
 public:
  struct Options {
    OnPathLoss on_path_loss = OnPathLoss::queue;
    // After so long without a path, requests of which nothing is in the network fail, and new ones
    // are refused. 0 = never.
    Duration fast_io_fail{};
    // After so long all requests fail. 0 = never.
    Duration device_loss{};
  };

  enum class Stage : std::uint8_t {
    reachable,
    waiting,    // requests wait
    fast_fail,  // what was not sent fails
    lost,       // everything fails
  };

  explicit DeviceLoss(const Options& options) : options_(options) {}

  // Counts from when the last path went, as before.
  void set_options(const Options& options) { options_ = options; }

  // The last path went. Does nothing when it had gone before.
  void on_down(Instant now);

  void on_up() { *this = DeviceLoss(options_); }

  // Enters the stage that is due. True when it is another one than before.
  [[nodiscard]] bool advance(Instant now);

  [[nodiscard]] Stage stage() const { return stage_; }

  // Whether requests that are not in the network end.
  [[nodiscard]] bool refuses() const { return stage_ == Stage::fast_fail || stage_ == Stage::lost; }

  // When advance() has something to do.
  [[nodiscard]] std::optional<Instant> next_time() const;

 private:
  [[nodiscard]] std::optional<Instant> fast_fail_at() const;
  [[nodiscard]] std::optional<Instant> lost_at() const;

  Options options_;
  Stage stage_ = Stage::reachable;
  Instant since_{};  // without a path
};

}  // namespace aoe::initiator
