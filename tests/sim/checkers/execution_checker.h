// Watches what really happens to the disks, and compares it with what the users were told.
#pragma once

#include "base/ids.h"
#include "base/store_op.h"
#include "sim/checkers/sector_content.h"
#include "sim/checkers/violations.h"
#include "sim/world/sim_disk.h"

#include <cstdint>
#include <vector>

namespace aoe::sim {

// The history judges what users can see; this one sees a wrong write even when nobody reads what it
// destroyed. Rules:
//
//  * What reaches a disk is what somebody wrote to that place.
//  * A write that was acknowledged was executed, all of it.
//  * Nothing that its initiator has got an answer for is executed over something newer, whatever
//  the
//    protocol: the initiator or the target must keep it away.
//  * Between ends that share a session, a write is executed once while a target lives, and never
//    after its answer.
class ExecutionChecker {
 public:
  enum class Promise : std::uint8_t {
    at_least_once,  // plain AoE: every copy is executed
    exactly_once,
  };

  explicit ExecutionChecker(Violations& violations) : violations_(violations) {}

  // Requests of one life of one user. Writers are numbered from 1 in the order of these calls.
  void add_writer(std::uint32_t writer, Promise promise);

  // Write number `op` (in order, from 0) is handed to the initiator.
  void begin(std::uint32_t writer, std::uint64_t op, std::uint32_t sectors);
  void acknowledge(Instant now, std::uint32_t writer, std::uint64_t op);
  // It failed, or its machine crashed.
  void give_up(std::uint32_t writer, std::uint64_t op);

  // A copy of the write leaves its initiator outside any session: at least once is all that it is
  // promised now.
  void on_plain_copy(SectorValue value);

  // The target that serves the disk starts anew: what it knew of requests is gone.
  void on_target_death(std::uint32_t disk);

  // Before `op` changes the disk.
  void on_change(Instant now, std::uint32_t disk_id, const SimDisk& disk, const StoreOp& op);

  struct Counters {
    std::uint64_t sectors = 0;       // executed
    std::uint64_t repeated = 0;      // executed again before the answer
    std::uint64_t after_answer = 0;  // executed again after it, with nothing newer there
    std::uint64_t plain_copies = 0;  // frames, of writers that were promised more
  };

  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  enum class State : std::uint8_t { open, acknowledged, given_up };

  struct Op {
    std::uint64_t executed = 0;  // bit n: sector n, ever
    std::uint64_t in_life = 0;   // the same in this life of the target
    std::uint32_t life = 0;
    std::uint8_t sectors = 0;
    bool went_plain = false;
    State state = State::open;
  };

  struct Writer {
    Promise promise = Promise::at_least_once;
    std::vector<Op> ops;
  };

  [[nodiscard]] Op* find(SectorValue value);
  void execute(Instant now, SectorPlace place, SectorValue value, SectorValue before);
  void violate(Rule rule, Instant now, SectorPlace place, SectorValue value,
               const std::string& what);

  Violations& violations_;
  std::vector<Writer> writers_;       // by number - 1
  std::vector<std::uint32_t> lives_;  // of the target, by disk
  Counters counters_;
};

}  // namespace aoe::sim
