// Watches what trims and writes of zeros really do to the disks.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/time.h"
#include "sim/checkers/execution_checker.h"
#include "sim/checkers/sector_content.h"
#include "sim/checkers/violations.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aoe::sim {

// Zeros do not say whose they are, so they are told apart by place, time and sender. Rules:
//
//  * What zeroes a sector is a request that its initiator has not got an answer for, or the sector
//    holds zeros already.
//  * A request that was acknowledged was executed, all of it.
//  * Between ends that share a session, it is executed once while a target lives.
class ZeroChecker {
 public:
  using Promise = ExecutionChecker::Promise;
  using Ticket = std::uint32_t;

  // A request that failed may be executed yet: for so long.
  static constexpr Duration kDoubt = Duration::seconds(100);

  explicit ZeroChecker(Violations& violations) : violations_(violations) {}

  // One life of one user, as ExecutionChecker has it, and the addresses that it may send from.
  void add_writer(std::uint32_t writer, Promise promise, std::vector<MacAddress> addresses);

  struct Range {
    std::uint32_t disk = 0;
    std::uint64_t lba = 0;
    std::uint32_t sectors = 0;  // at most 64
  };

  // A trim or a write of zeros is handed to the initiator.
  [[nodiscard]] Ticket begin(Instant now, std::uint32_t writer, const Range& range);
  void acknowledge(Instant now, Ticket ticket);
  // It failed, or its machine crashed.
  void give_up(Instant now, Ticket ticket);

  // A frame that zeroes the range leaves its initiator: under a sequence, or outside any session
  // (0). Asked under more than one it is executed more than once, which ends the promise.
  void on_frame(const MacAddress& source, const Range& range, std::uint32_t sequence);

  void on_target_death(std::uint32_t disk);

  // What happens to a sector at a disk.
  enum class Kind : std::uint8_t {
    zeros,
    discard_of_no_promise,  // the sector may keep what it holds
  };

  // `before` is what the sector holds until now; `source` sent the request.
  void on_change(Instant now, SectorPlace place, Kind kind, SectorValue before,
                 const MacAddress& source);

  struct Counters {
    std::uint64_t sectors = 0;       // zeroed
    std::uint64_t repeated = 0;      // zeroed again before the answer
    std::uint64_t after_answer = 0;  // zeroed again after it, with nothing newer there
  };

  [[nodiscard]] const Counters& counters() const { return counters_; }

  // Requests that may be executed yet.
  [[nodiscard]] std::size_t live() const { return live_.size(); }

 private:
  enum class State : std::uint8_t { open, given_up, ended };

  struct Request {
    std::uint32_t writer = 0;
    Range range;
    State state = State::open;
    Instant given_up{};
    std::uint64_t executed = 0;  // bit n: sector n, ever
    std::uint64_t in_life = 0;   // the same in this life of the target
    std::uint32_t life = 0;
    bool is_reissued = false;
    std::vector<std::uint32_t> sequences{};  // by sector, under which it was sent first; 0: not yet
  };

  struct Writer {
    Promise promise = Promise::at_least_once;
    std::vector<MacAddress> addresses;
  };

  [[nodiscard]] bool is_from(const Request& request, const MacAddress& source) const;
  [[nodiscard]] bool is_strict(const Request& request) const;
  [[nodiscard]] std::uint32_t life_of(std::uint32_t disk) const;
  void forget_old(Instant now);
  void end(Ticket ticket);

  Violations& violations_;
  std::vector<Writer> writers_;  // by number - 1
  std::vector<Request> requests_;
  std::vector<Ticket> free_;
  std::vector<Ticket> live_;          // in the order of their beginnings
  std::vector<std::uint32_t> lives_;  // of the target, by disk
  Counters counters_;
};

}  // namespace aoe::sim
