#include "sim/checkers/judges.h"

#include "protocol/aoe_ata.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_mac_lists.h"
#include "protocol/aoe_session.h"
#include "protocol/ata_command.h"
#include "protocol/ata_trim.h"

#include <algorithm>
#include <string>

namespace aoe::sim {
namespace {

constexpr std::uint64_t kWholeDisk = ~std::uint64_t{0};

std::string words_of(const StoreOp& op) {
  switch (op.kind) {
    case StoreOpKind::read:
      return "read";
    case StoreOpKind::flush:
      return "flush";
    case StoreOpKind::write:
      return to_string(SectorValue{load_le64(op.data, 0)}) +
             (op.durability == Durability::stable ? ", stable" : "");
    default:
      return "zeros";
  }
}

constexpr std::size_t kCommandAt = 19;
constexpr std::size_t kOpcodeAt = 27;
constexpr std::size_t kSequenceInSeal = 8;

bool is_write(std::uint8_t opcode) {
  const protocol::AtaKind kind = protocol::find_opcode(opcode).kind;
  return kind == protocol::AtaKind::write || kind == protocol::AtaKind::write_fua;
}

bool changes_sectors(std::uint8_t opcode) {
  return is_write(opcode) ||
         protocol::find_opcode(opcode).kind == protocol::AtaKind::data_set_management;
}

}  // namespace

void Judges::watch(TargetHost& target, SimDisk& disk, std::uint32_t disk_id) {
  for (const TargetHost::Served& served : target.exports()) {
    if (served.disk_id != disk_id) {
      continue;
    }
    if (watched_.size() <= disk_id) {
      watched_.resize(disk_id + 1);
    }
    watched_[disk_id] = {.disk_id = disk_id,
                         .target = &target,
                         .address = served.settings.address,
                         .disk = &disk,
                         .has_cache = served.settings.mode == target::WriteMode::write_back};
    history.add_disk(disk_id, disk.sectors(),
                     watched_[disk_id].has_cache ? RegisterHistory::Cache::volatile_cache
                                                 : RegisterHistory::Cache::none);
  }
  disk.set_observer(this);
  target.set_observer(this);
}

std::uint32_t Judges::new_writer(const WriterPorts& ports) {
  ++writers_;
  executions.add_writer(writers_, ports.promise);
  zeros.add_writer(writers_, ports.promise, ports.addresses);
  if (ports.promise == ExecutionChecker::Promise::exactly_once) {
    caches.add_writer(writers_);
  }
  fences.add_writer(writers_, addresses_are_hidden_ ? std::vector<MacAddress>() : ports.addresses);
  return writers_;
}

void Judges::tell(Instant now, std::uint32_t disk, std::uint64_t lba, std::uint64_t sectors,
                  std::initializer_list<std::string_view> words) const {
  if (!narrated_ || narrated_->disk != disk ||
      (sectors != kWholeDisk && (narrated_->lba < lba || narrated_->lba >= lba + sectors))) {
    return;
  }
  std::string text;
  for (const std::string_view word : words) {
    text += " " + std::string(word);
  }
  listener_(std::to_string(now.ns) + " ns:" + text);
}

void Judges::on_store_op(Instant now, std::uint32_t disk, const StoreOp& op) {
  if (narrates()) {
    const std::uint64_t sectors =
        op.kind == StoreOpKind::flush ? kWholeDisk : op.length_bytes / kSectorBytes;
    tell(now, disk, op.offset_bytes / kSectorBytes, sectors, {"the disk is given", words_of(op)});
  }
}

void Judges::on_disk_change(Instant now, std::uint32_t disk, const StoreOp& op) {
  if (narrates()) {
    tell(now, disk, op.offset_bytes / kSectorBytes, op.length_bytes / kSectorBytes,
         {"the disk executes", words_of(op)});
  }
  if (executions.on_change(now, disk, *watched_[disk].disk, op) && sectors_are_shared_) {
    for (std::uint64_t i = 0; i < op.length_bytes / kSectorBytes; ++i) {
      history.on_repeated(disk, op.offset_bytes / kSectorBytes + i,
                          SectorValue{load_le64(op.data, i * kSectorBytes)});
    }
  }
  judge_zeros(now, watched_[disk], op);
  judge_fences(now, watched_[disk], op);
}

void Judges::judge_zeros(Instant now, const Watched& watched, const StoreOp& op) {
  const auto kind = op.kind == StoreOpKind::discard && !watched.disk->discards_to_zeros()
                        ? ZeroChecker::Kind::discard_of_no_promise
                        : ZeroChecker::Kind::zeros;
  for (std::uint64_t i = 0; i < op.length_bytes / kSectorBytes; ++i) {
    if (op.kind == StoreOpKind::write && load_le64(op.data, i * kSectorBytes) != 0) {
      continue;
    }
    const std::uint64_t lba = op.offset_bytes / kSectorBytes + i;
    zeros.on_change(now, {.disk = watched.disk_id, .lba = lba}, kind,
                    {load_le64(watched.disk->sector(lba), 0)}, op.initiator);
  }
}

void Judges::judge_fences(Instant now, const Watched& watched, const StoreOp& op) {
  if (fences.answers() == 0) {
    return;
  }
  target::TargetCore* core = watched.target->core();
  const target::Export* served = core == nullptr ? nullptr : core->find(watched.address);
  if (served == nullptr) {
    return;
  }
  for (std::uint64_t i = 0; i < op.length_bytes / kSectorBytes; ++i) {
    const SectorPlace place{.disk = watched.disk_id, .lba = op.offset_bytes / kSectorBytes + i};
    const SectorValue value{op.kind == StoreOpKind::write ? load_le64(op.data, i * kSectorBytes)
                                                          : 0};
    if (value.is_zero()) {
      fences.on_zeros(now, place, op.initiator, served->persistent.reservation);
    } else {
      fences.on_write(now, place, value, served->persistent.reservation);
    }
  }
}

void Judges::on_power_cut(Instant now, std::uint32_t disk) {
  if (narrates()) {
    tell(now, disk, 0, kWholeDisk, {"the disk loses its power"});
    if (narrated_->disk == disk) {
      const SectorValue left{load_le64(watched_[disk].disk->sector(narrated_->lba), 0)};
      tell(now, disk, 0, kWholeDisk, {"what is left is", to_string(left)});
    }
  }
  if (watched_[disk].has_cache) {
    history.on_cache_lost(disk);
    caches.on_power_cut(disk);
  } else {
    history.on_restart(disk);
  }
}

void Judges::on_target_frame(Instant now, std::uint32_t target, ConstByteSpan frame) {
  // Most frames are none: a look at one byte says so.
  if (frame.size() < protocol::kHeaderBytes ||
      load_u8(frame, kCommandAt) != static_cast<std::uint8_t>(protocol::Command::reserve)) {
    return;
  }
  const auto header = protocol::parse_header(frame);
  if (!header) {
    return;
  }
  for (const Watched& watched : watched_) {
    if (watched.disk != nullptr && watched.target->options().index == target &&
        watched.address == header->address) {
      fences.on_target_frame(watched.disk_id, frame);
      const auto reserve = protocol::parse_reserve(frame);
      tell(now, watched.disk_id, 0, kWholeDisk,
           {"the target answers about the reservation:", header->is_error ? "refused" : "done",
            reserve && reserve->mac_count != 0 ? to_string(reserve->address(0)) : "nobody"});
    }
  }
}

void Judges::tell_of_write(ConstByteSpan frame) const {
  const auto header = protocol::parse_header(frame);
  const auto seal = protocol::parse_seal(frame);
  const std::string words = seal ? "session " + std::to_string(seal->session) + " sequence " +
                                       std::to_string(seal->sequence) + " low " +
                                       std::to_string(seal->sequence_low)
                                 : std::string("plain");
  // The sector itself says where it belongs.
  const std::uint64_t place = load_le64(frame, protocol::kAtaHeaderBytes + 8);
  tell(watched_.front().target->world().now(), static_cast<std::uint32_t>(place >> 48U),
       place & ((std::uint64_t{1} << 48U) - 1),
       (frame.size() - protocol::kAtaHeaderBytes) / kSectorBytes,
       {"a frame leaves:", to_string(SectorValue{load_le64(frame, protocol::kAtaHeaderBytes)}),
        words, "tag", std::to_string(header->tag.value), "to", to_string(header->destination)});
}

void Judges::note_zeros(ConstByteSpan frame, std::uint32_t sequence) {
  const auto header = protocol::parse_header(frame);
  const auto ata = protocol::parse_ata(frame);
  const auto watched =
      std::find_if(watched_.begin(), watched_.end(), [&header](const Watched& one) {
        return one.disk != nullptr && header && one.address == header->address;
      });
  if (!ata || watched == watched_.end()) {
    return;
  }
  if (!is_write(ata->argument.command_status)) {
    const auto ranges =
        protocol::parse_trim(ata->data, static_cast<std::uint8_t>(ata->argument.sector_count));
    for (std::size_t i = 0; ranges && i < ranges->size(); ++i) {
      zeros.on_frame(header->source,
                     {.disk = watched->disk_id,
                      .lba = (*ranges)[i].first.value,
                      .sectors = (*ranges)[i].sector_count},
                     sequence);
    }
    return;
  }
  const Lba first = ata->argument.is_extended() ? ata->argument.lba48() : ata->argument.lba28();
  for (std::uint32_t i = 0; i < ata->argument.sector_count; ++i) {
    if (load_le64(ata->data, i * kSectorBytes) == 0) {
      zeros.on_frame(header->source,
                     {.disk = watched->disk_id, .lba = first.value + i, .sectors = 1}, sequence);
    }
  }
}

// A write that leaves without a seal is one that may be executed more than once.
void Judges::on_initiator_frame(ConstByteSpan frame) {
  constexpr std::size_t kDataAt = protocol::kAtaHeaderBytes;
  if (frame.size() < kDataAt + kSectorBytes ||
      load_u8(frame, kCommandAt) != static_cast<std::uint8_t>(protocol::Command::ata) ||
      !changes_sectors(load_u8(frame, kOpcodeAt))) {
    return;
  }
  const auto seal_at = protocol::seal_offset(frame.size());
  const bool is_sealed = seal_at && load_be16(frame, *seal_at) == protocol::kSealMagic;
  if (zeros.live() != 0) {
    note_zeros(frame, is_sealed ? load_be32(frame, *seal_at + kSequenceInSeal) : 0);
  }
  if (!is_write(load_u8(frame, kOpcodeAt))) {
    return;
  }
  if (narrates()) {
    tell_of_write(frame);
  }
  if (!is_sealed) {
    for (std::size_t at = kDataAt; at + kSectorBytes <= frame.size(); at += kSectorBytes) {
      executions.on_plain_copy(SectorValue{load_le64(frame, at)});
    }
    return;
  }
  const std::uint32_t sequence = load_be32(frame, *seal_at + kSequenceInSeal);
  for (std::size_t at = kDataAt; at < *seal_at; at += kSectorBytes) {
    executions.on_sealed_copy(SectorValue{load_le64(frame, at)}, sequence);
  }
}

void Judges::on_target_death(Instant now, std::uint32_t target, Death how) {
  for (const Watched& watched : watched_) {
    if (watched.disk != nullptr && watched.target->options().index == target) {
      executions.on_target_death(watched.disk_id);
      zeros.on_target_death(watched.disk_id);
      if (how == Death::killed) {
        tell(now, watched.disk_id, 0, kWholeDisk, {"the target dies"});
        history.on_restart(watched.disk_id);
      }
    }
  }
}

}  // namespace aoe::sim
