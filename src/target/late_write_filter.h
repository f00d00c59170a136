// Keeps writes of plain initiators that come too late from being executed.
#pragma once

#include "target/ata_plan.h"
#include "target/core_parts.h"
#include "target/handover.h"
#include "target/write_stamps.h"

#include <cstdint>
#include <optional>

namespace aoe::target {

// Two hazards, two answers.
//
// A copy of a write that was delayed in the network undoes a newer one. Initiators of our own kind
// prevent that themselves (session_keeper.h); for Linux hosts, whose tags tell when a frame was
// sent, a write that is older than an executed write of the same host to the same sectors is
// dropped. That harms nobody: Linux either was answered already, or sends the write again with a
// new tag. Initiators whose tags are not understood are left alone, because one that sends the same
// tag again would wait for ever.
//
// A target that was started anew knows nothing of what an earlier one executed. For a frame's life
// it executes no writes of plain initiators (Export::hold_plain_writes_until); they send them
// again.
class LateWriteFilter {
 public:
  explicit LateWriteFilter(CoreParts& parts);

  // Learns from an ATA request, and says in `arrival` what its tag tells. `opcode` is 0 for one
  // without an argument.
  void look_at(Arrival& arrival, std::uint8_t opcode);

  // Whether a write or trim may be executed now; a write that may counts as executed.
  [[nodiscard]] bool may_execute(const Arrival& arrival, Export& subject, const AtaPlan& plan);

  // Places of TargetLimits::write_stamps_max in use.
  [[nodiscard]] std::size_t stamps() const { return stamps_ ? stamps_->in_use() : 0; }

  // What is known of the hosts that wrote to an export lately, for a target that follows on this
  // one, and from one before.
  void hand_over(Instant now, const Export& subject, Handover& handover) const;
  void take_over(Instant now, Export& subject, const Handover& handover);

 private:
  [[nodiscard]] std::uint32_t host_of(const Initiator& learned);
  [[nodiscard]] bool is_newest(const Arrival& arrival, Export& subject, const AtaPlan& plan);
  bool drop(std::uint64_t& counter);

  CoreParts& parts_;
  std::optional<WriteStamps> stamps_;  // none when the life of frames is not limited
  std::uint32_t last_host_ = 0;
};

}  // namespace aoe::target
