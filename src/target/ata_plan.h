// From an ATA command to what has to be done for it: every check that needs no store and no clock.
#pragma once

#include "base/ids.h"
#include "protocol/aoe_ata.h"
#include "protocol/ata_command.h"
#include "protocol/ata_registers.h"
#include "target/target_types.h"

#include <cstddef>
#include <cstdint>

namespace aoe::target {

enum class AtaAction : std::uint8_t {
  reply,         // answer with `outcome` and the registers in `reply`, no data
  bad_argument,  // AoE error 2: the frame contradicts itself
  identify,      // answer with the IDENTIFY sector
  smart_data,    // answer with a SMART sector (plan.smart_feature, plan.sectors)
  read,
  write,
  verify,
  flush,
  trim,             // the ranges are in the frame's data
  write_cache_off,  // a flush that covers every write before it; later ones are stable already
};

// Whether the action can alter what a later read returns.
[[nodiscard]] constexpr bool changes_data(AtaAction action) {
  return action == AtaAction::write || action == AtaAction::trim;
}

struct AtaPlan {
  AtaAction action = AtaAction::reply;
  protocol::AtaOutcome outcome = protocol::kAtaOk;
  // Registers of the reply. Starts as the request's with count 0: what vblade answers, and what
  // every initiator accepts.
  protocol::AtaArgument reply;
  Lba lba;
  std::uint32_t sectors = 0;  // of read, write, verify: > 0; of trim: 512-byte blocks of ranges
  bool is_stable = false;     // a write that has to survive a power cut before its reply
  std::uint8_t smart_feature = 0;
};

// What the plan depends on.
struct AtaContext {
  std::uint64_t sector_count = 0;  // size of the disk
  std::uint8_t frame_sectors = 0;  // most sectors a frame on this port can carry (exact bound)
  WriteMode mode = WriteMode::write_through;
  bool write_cache_enabled = false;  // only in write_back
  bool can_trim = false;
  bool smart_enabled = true;
};

// State that ATA commands change without a store; part of the export, not persistent (as in a
// disk).
struct AtaSettings {
  bool write_cache_enabled = false;
  bool smart_enabled = true;
  std::uint8_t multiple_sectors = 0;
};

inline constexpr std::uint8_t kMultipleSectorsMax = 16;
inline constexpr std::uint16_t kTrimBlocksMax = 16;

// May change `settings` for SET FEATURES, SMART ENABLE/DISABLE and SET MULTIPLE MODE.
[[nodiscard]] AtaPlan plan_ata(const protocol::AtaFrame& frame, const AtaContext& context,
                               AtaSettings& settings);

}  // namespace aoe::target
