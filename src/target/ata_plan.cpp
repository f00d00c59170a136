#include "target/ata_plan.h"

#include <algorithm>
#include <bit>

namespace aoe::target {
namespace {

using protocol::AddressWidth;
using protocol::AtaArgument;
using protocol::AtaFrame;
using protocol::AtaKind;
using protocol::AtaOpcode;
using protocol::AtaOutcome;
using protocol::DataDirection;

AtaPlan finish(AtaPlan plan, AtaOutcome outcome) {
  plan.action = AtaAction::reply;
  plan.outcome = outcome;
  return plan;
}

// Sectors that a command of this address width can reach.
std::uint64_t reach(const AtaOpcode& opcode, std::uint64_t sector_count) {
  return opcode.width == AddressWidth::lba28 ? std::min(sector_count, kLba28Limit) : sector_count;
}

bool is_inside(const AtaPlan& plan, std::uint64_t limit) {
  return plan.sectors <= limit && plan.lba.value <= limit - plan.sectors;
}

// Whether a 28-bit command states address bits that it does not have. Its sender means another
// sector than the low 28 bits name, so dropping them (as vblade does) reads or writes the wrong
// one. The high nibble of byte 3 is the device register there, unless the E flag says that the
// sender counts in 48 bits.
bool has_stray_address(const AtaArgument& request, const AtaOpcode& opcode) {
  return opcode.width == AddressWidth::lba28 &&
         (request.lba[4] != 0 || request.lba[5] != 0 ||
          (request.is_extended() && (request.lba[3] & 0xF0U) != 0));
}

// Points the reply at the first sector that does not exist (ATA8-ACS 7.x "first bad sector").
AtaPlan out_of_range(AtaPlan plan, const AtaOpcode& opcode, std::uint64_t limit) {
  const Lba first_bad{std::max(plan.lba.value, limit)};
  // The register of a 28-bit command cannot name sector 2^28: it stays at the last it can name.
  const Lba first_bad28{std::min(first_bad.value, kLba28Limit - 1)};
  plan.reply.sector_count = static_cast<std::uint8_t>(std::min<std::uint32_t>(plan.sectors, 255));
  if (opcode.width == AddressWidth::lba48) {
    plan.reply.set_lba48(first_bad);
  } else {
    plan.reply.set_lba28(first_bad28);
  }
  return finish(plan, protocol::kAtaIdNotFound);
}

AtaPlan plan_transfer(AtaPlan plan, const AtaFrame& frame, const AtaOpcode& opcode,
                      const AtaContext& context) {
  const bool is_write = opcode.direction == DataDirection::out;
  plan.sectors = frame.argument.sector_count;
  // Count 0 means 256 or 65536 sectors, which no frame can carry.
  if (plan.sectors == 0 || plan.sectors > context.frame_sectors) {
    return finish(plan, protocol::kAtaAborted);
  }
  if (is_write && frame.data.size() < std::size_t{plan.sectors} * kSectorBytes) {
    plan.action = AtaAction::bad_argument;
    return plan;
  }
  if (is_write && context.mode == WriteMode::read_only) {
    return finish(plan, protocol::kAtaAborted);
  }
  const std::uint64_t limit = reach(opcode, context.sector_count);
  if (!is_inside(plan, limit) || has_stray_address(frame.argument, opcode)) {
    return out_of_range(plan, opcode, limit);
  }
  plan.action = is_write ? AtaAction::write : AtaAction::read;
  plan.is_stable = is_write && (opcode.kind == AtaKind::write_fua || !context.write_cache_enabled);
  return plan;
}

AtaPlan plan_verify(AtaPlan plan, const AtaFrame& frame, const AtaOpcode& opcode,
                    const AtaContext& context) {
  plan.sectors = frame.argument.sector_count;
  if (plan.sectors == 0) {
    plan.sectors = opcode.width == AddressWidth::lba48 ? 65536 : 256;
  }
  const std::uint64_t limit = reach(opcode, context.sector_count);
  if (!is_inside(plan, limit) || has_stray_address(frame.argument, opcode)) {
    return out_of_range(plan, opcode, limit);
  }
  plan.action = AtaAction::verify;
  return plan;
}

AtaPlan plan_trim(AtaPlan plan, const AtaFrame& frame, const AtaContext& context) {
  constexpr std::uint8_t kTrimBit = 0x01;
  plan.sectors = frame.argument.sector_count;
  const bool is_trim = frame.argument.feature_error == kTrimBit;
  if (!context.can_trim || context.mode == WriteMode::read_only || !is_trim || plan.sectors == 0 ||
      plan.sectors > std::min<std::uint32_t>(kTrimBlocksMax, context.frame_sectors)) {
    return finish(plan, protocol::kAtaAborted);
  }
  if (frame.data.size() < std::size_t{plan.sectors} * kSectorBytes) {
    plan.action = AtaAction::bad_argument;
    return plan;
  }
  plan.action = AtaAction::trim;
  plan.is_stable = !context.write_cache_enabled;
  return plan;
}

AtaPlan plan_smart(AtaPlan plan, const AtaFrame& frame, AtaSettings& settings) {
  using protocol::SmartFeature;
  const AtaArgument& request = frame.argument;
  if (request.lba[1] != protocol::kSmartSignatureMid ||
      request.lba[2] != protocol::kSmartSignatureHigh) {
    return finish(plan, protocol::kAtaAborted);
  }
  const auto feature = static_cast<SmartFeature>(request.feature_error);
  if (!settings.smart_enabled && feature != SmartFeature::enable) {
    return finish(plan, protocol::kAtaAborted);
  }
  plan.smart_feature = request.feature_error;
  plan.sectors = 1;
  switch (feature) {
    case SmartFeature::enable:
      settings.smart_enabled = true;
      return finish(plan, protocol::kAtaOk);
    case SmartFeature::disable:
      settings.smart_enabled = false;
      return finish(plan, protocol::kAtaOk);
    case SmartFeature::attribute_autosave:
    case SmartFeature::save_attributes:
      return finish(plan, protocol::kAtaOk);
    case SmartFeature::return_status:
      // LBA mid and high keep the healthy signature of the request; a failed export changes them.
      plan.action = AtaAction::smart_data;
      plan.sectors = 0;
      return plan;
    case SmartFeature::read_data:
    case SmartFeature::read_thresholds:
      plan.action = AtaAction::smart_data;
      return plan;
    case SmartFeature::read_log:
      plan.sectors = request.sector_count;
      plan.action = AtaAction::smart_data;
      return plan.sectors == 1 ? plan : finish(plan, protocol::kAtaAborted);
    case SmartFeature::offline_immediate:
      plan.action = AtaAction::smart_data;
      plan.sectors = 0;
      return plan;
    case SmartFeature::write_log:
      return finish(plan, protocol::kAtaAborted);
  }
  return finish(plan, protocol::kAtaAborted);
}

bool is_known_transfer_mode(std::uint8_t mode) {
  const unsigned kind =
      mode >> 3U;  // PIO default, PIO flow control, single-, multiword and Ultra DMA
  return mode <= 0x01 || kind == 1 || kind == 4 || kind == 8;
}

AtaPlan plan_set_features(AtaPlan plan, const AtaFrame& frame, const AtaContext& context,
                          AtaSettings& settings) {
  const bool has_cache = context.mode == WriteMode::write_back;
  switch (frame.argument.feature_error) {
    case 0x02:  // write cache on
      settings.write_cache_enabled = has_cache;
      return finish(plan, has_cache ? protocol::kAtaOk : protocol::kAtaAborted);
    case 0x82:  // write cache off: what is in it reaches the medium first
      settings.write_cache_enabled = false;
      plan.action = has_cache ? AtaAction::write_cache_off : AtaAction::reply;
      return plan;
    case 0x03:
      return finish(plan, is_known_transfer_mode(frame.argument.sector_count)
                              ? protocol::kAtaOk
                              : protocol::kAtaAborted);
    case 0x55:  // look-ahead off, on: reading ahead is the backing's business, both are true
    case 0xAA:
    case 0x66:  // keep, revert to power-on defaults at a reset, which AoE does not have
    case 0xCC:
      return finish(plan, protocol::kAtaOk);
    default:
      return finish(plan, protocol::kAtaAborted);
  }
}

AtaPlan plan_native_max(AtaPlan plan, const AtaOpcode& opcode, const AtaContext& context) {
  if (opcode.width == AddressWidth::lba48) {
    plan.reply.set_lba48(Lba{context.sector_count - 1});
  } else {
    plan.reply.set_lba28(Lba{std::min(context.sector_count, kLba28Limit) - 1});
  }
  return finish(plan, protocol::kAtaOk);
}

AtaPlan plan_set_multiple(AtaPlan plan, const AtaFrame& frame, AtaSettings& settings) {
  const std::uint8_t sectors = frame.argument.sector_count;
  if (sectors != 0 && (!std::has_single_bit(sectors) || sectors > kMultipleSectorsMax)) {
    return finish(plan, protocol::kAtaAborted);
  }
  settings.multiple_sectors = sectors;
  return finish(plan, protocol::kAtaOk);
}

AtaPlan plan_diagnostic(AtaPlan plan) {
  // The signature of a device that passed (ATA8-ACS 7.9): error 01h is a code here, not a failure.
  plan.reply.sector_count = 1;
  plan.reply.lba = {1, 0, 0, 0, 0, 0};
  return finish(plan, {protocol::kStatusReady, 0x01});
}

}  // namespace

AtaPlan plan_ata(const AtaFrame& frame, const AtaContext& context, AtaSettings& settings) {
  const AtaOpcode& opcode = protocol::find_opcode(frame.argument.command_status);
  AtaPlan plan;
  plan.reply = frame.argument;
  plan.reply.sector_count = 0;
  if (opcode.kind == AtaKind::unsupported) {
    return finish(plan, protocol::kAtaAborted);
  }
  const DataDirection direction = protocol::data_direction(frame.argument);
  // The opcode decides which way data flows; a W flag that says otherwise is a broken frame (vblade
  // trusts each where it suits, so that a write without W echoes its data).
  if (frame.argument.has_write_flag() != (direction == DataDirection::out)) {
    plan.action = AtaAction::bad_argument;
    return plan;
  }
  // The opcode decides the address width too, as in vblade.
  plan.lba = opcode.width == AddressWidth::lba48 ? frame.argument.lba48() : frame.argument.lba28();
  switch (opcode.kind) {
    case AtaKind::identify:
      plan.action = AtaAction::identify;
      return plan;
    case AtaKind::read:
    case AtaKind::write:
    case AtaKind::write_fua:
      return plan_transfer(plan, frame, opcode, context);
    case AtaKind::read_verify:
      return plan_verify(plan, frame, opcode, context);
    case AtaKind::flush:
      plan.action = AtaAction::flush;
      return plan;
    case AtaKind::data_set_management:
      return plan_trim(plan, frame, context);
    case AtaKind::smart:
      return plan_smart(plan, frame, settings);
    case AtaKind::set_features:
      return plan_set_features(plan, frame, context, settings);
    case AtaKind::set_multiple:
      return plan_set_multiple(plan, frame, settings);
    case AtaKind::check_power:
      plan.reply.sector_count = 0xFF;  // active or idle
      return plan;
    case AtaKind::power:
      // STANDBY and SLEEP promise that nothing is left in a cache (ATA8-ACS 7.55).
      plan.action = context.mode == WriteMode::write_back ? AtaAction::flush : AtaAction::reply;
      return plan;
    case AtaKind::read_native_max:
      return plan_native_max(plan, opcode, context);
    case AtaKind::diagnostic:
      return plan_diagnostic(plan);
    case AtaKind::no_operation_ok:
    case AtaKind::unsupported:
      return plan;
  }
  return finish(plan, protocol::kAtaAborted);
}

}  // namespace aoe::target
