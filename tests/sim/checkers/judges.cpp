#include "sim/checkers/judges.h"

#include "protocol/aoe_frame.h"

namespace aoe::sim {
namespace {

constexpr std::size_t kCommandAt = 19;

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
  fences.add_writer(writers_, ports.addresses);
  return writers_;
}

void Judges::on_disk_change(Instant now, std::uint32_t disk, const StoreOp& op) {
  executions.on_change(now, disk, *watched_[disk].disk, op);
  if (op.kind != StoreOpKind::write || fences.answers() == 0) {
    return;
  }
  target::TargetCore* core = watched_[disk].target->core();
  const target::Export* served = core == nullptr ? nullptr : core->find(watched_[disk].address);
  if (served == nullptr) {
    return;
  }
  for (std::uint64_t i = 0; i < op.length_bytes / kSectorBytes; ++i) {
    fences.on_write(now, {.disk = disk, .lba = op.offset_bytes / kSectorBytes + i},
                    {load_le64(op.data, i * kSectorBytes)}, served->persistent.reservation);
  }
}

void Judges::on_power_cut(Instant /*now*/, std::uint32_t disk) {
  if (watched_[disk].has_cache) {
    history.on_cache_lost(disk);
  } else {
    history.on_restart(disk);
  }
}

void Judges::on_target_frame(Instant /*now*/, std::uint32_t target, ConstByteSpan frame) {
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
    }
  }
}

void Judges::on_target_death(Instant /*now*/, std::uint32_t target, Death how) {
  for (const Watched& watched : watched_) {
    if (watched.disk != nullptr && watched.target->options().index == target) {
      executions.on_target_death(watched.disk_id);
      if (how == Death::killed) {
        history.on_restart(watched.disk_id);
      }
    }
  }
}

}  // namespace aoe::sim
