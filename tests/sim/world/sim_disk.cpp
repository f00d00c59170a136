#include "sim/world/sim_disk.h"

#include "base/check.h"

#include <algorithm>
#include <array>

namespace aoe::sim {
namespace {

constexpr unsigned kTailDoublings = 8;
constexpr std::array<std::byte, kSectorBytes> kZeros{};

bool changes_medium(StoreOpKind kind) {
  return kind == StoreOpKind::write || kind == StoreOpKind::discard ||
         kind == StoreOpKind::write_zeroes;
}

}  // namespace

SimDisk::SimDisk(World& world, std::uint32_t id, const DiskOptions& options)
    : world_(world),
      id_(id),
      options_(options),
      prng_(world.fork(stream(StreamKind::disk, id))),
      now_image_(options.sectors * kSectorBytes),
      durable_image_(options.sectors * kSectorBytes),
      versions_(options.sectors),
      ops_(options.ops_max),
      lanes_(std::max(1U, options.speed.parallel)) {
  free_.reserve(options.ops_max);
  for (std::uint32_t i = options.ops_max; i > 0; --i) {
    free_.push_back(i - 1);
  }
  dirty_.reserve(options.sectors);
}

ConstByteSpan SimDisk::sector(std::uint64_t lba) const {
  return ConstByteSpan(now_image_).subspan(lba * kSectorBytes, kSectorBytes);
}

ConstByteSpan SimDisk::durable_sector(std::uint64_t lba) const {
  return ConstByteSpan(durable_image_).subspan(lba * kSectorBytes, kSectorBytes);
}

void SimDisk::set_error_chances(const DiskOptions& chances) {
  options_.read_error_ppm = chances.read_error_ppm;
  options_.write_error_ppm = chances.write_error_ppm;
  options_.flush_error_ppm = chances.flush_error_ppm;
}

// --- time ---

Instant SimDisk::completion_time(Instant now, const StoreOp& op) {
  const auto below = [this](Duration limit) {
    return Duration::nanoseconds(
        static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(limit.ns))));
  };
  const DiskSpeed& speed = options_.speed;
  Duration takes{};
  if (op.kind == StoreOpKind::flush) {
    takes = speed.flush + below(speed.flush);
  } else if (op.kind == StoreOpKind::read) {
    takes = speed.read_min + below(speed.read_spread);
  } else {
    takes = speed.write_min + below(speed.write_spread);
    if (op.durability == Durability::stable) {
      takes = takes + speed.stable_extra;
    }
  }
  const bool goes_to_medium = op.kind == StoreOpKind::read || op.durability == Durability::stable;
  if (speed.kind == DiskSpeed::Kind::spinning && goes_to_medium) {
    const std::uint64_t target = op.offset_bytes / kSectorBytes;
    const std::uint64_t distance = target > head_ ? target - head_ : head_ - target;
    takes = takes + below(speed.turn) +
            Duration::nanoseconds(speed.stroke.ns * static_cast<std::int64_t>(distance) /
                                  static_cast<std::int64_t>(options_.sectors));
    head_ = target;
  }
  if (speed.tail_ppm != 0 && prng_.chance(speed.tail_ppm, 1'000'000)) {
    takes = takes + below(Duration{speed.tail.ns >> prng_.below(kTailDoublings)});
  }
  // The lane that is free first takes it.
  Instant& lane = *std::min_element(lanes_.begin(), lanes_.end());
  lane = std::max(lane, now) + takes;
  return lane;
}

// --- operations ---

void SimDisk::submit(Instant now, const StoreOp& op) {
  AOE_CHECK(!free_.empty(), "a host submits no more than it said");
  AOE_CHECK(op.offset_bytes % kSectorBytes == 0 && op.length_bytes % kSectorBytes == 0 &&
                op.offset_bytes + op.length_bytes <= now_image_.size(),
            "an operation is whole sectors inside the disk");
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  ++in_flight_;
  Op& entry = ops_[slot];
  entry.op = op;
  entry.in_use = true;
  entry.is_due = false;
  entry.issued = next_change_;
  if (op.kind == StoreOpKind::flush) {
    stage(slot);
  }
  world_.events().schedule(completion_time(now, op), *this, slot, entry.generation);
}

void SimDisk::handle_event(Instant now, std::uint32_t what, std::uint64_t value) {
  Op& entry = ops_[what];
  if (!entry.in_use || entry.generation != value) {
    return;
  }
  if (hangs_) {
    entry.is_due = true;
    return;
  }
  complete(now, what);
}

void SimDisk::release(Instant now) {
  hangs_ = false;
  for (std::uint32_t slot = 0; slot < ops_.size(); ++slot) {
    if (ops_[slot].in_use && ops_[slot].is_due) {
      ops_[slot].is_due = false;
      world_.events().schedule(now, *this, slot, ops_[slot].generation);
    }
  }
}

StoreErrc SimDisk::draw_status(const StoreOp& op) {
  if (planned_ && planned_->kind == op.kind) {
    const StoreErrc status = planned_->status;
    planned_.reset();
    return status;
  }
  std::uint32_t ppm = options_.write_error_ppm;
  StoreErrc status = StoreErrc::io;
  if (op.kind == StoreOpKind::read) {
    ppm = options_.read_error_ppm;
  } else if (op.kind == StoreOpKind::flush) {
    ppm = options_.flush_error_ppm;
    status = StoreErrc::sync_failed;
  }
  return ppm != 0 && prng_.chance(ppm, 1'000'000) ? status : StoreErrc::ok;
}

void SimDisk::complete(Instant now, std::uint32_t slot) {
  const StoreOp op = ops_[slot].op;
  StoreCompletion done{.tag = op.tag, .status = draw_status(op), .error_offset_bytes = 0};
  world_.trace().mix(static_cast<std::uint64_t>(now.ns));
  world_.trace().mix(std::uint64_t{id_} << 48U | static_cast<std::uint64_t>(done.status) << 40U |
                     (op.offset_bytes ^ op.length_bytes << 20U));
  if (done.status == StoreErrc::ok) {
    execute(now, slot);
  } else {
    ++counters_.errors;
    if (op.length_bytes != 0) {
      done.error_offset_bytes =
          op.offset_bytes + prng_.below(op.length_bytes / kSectorBytes) * kSectorBytes;
    }
    if (changes_medium(op.kind)) {
      partly_execute(now, op);
    } else if (op.kind == StoreOpKind::flush) {
      // As Linux has it: the pages are called clean, and what they held may never reach the disk.
      lose_unflushed(ops_[slot].issued);
      drop_staged(slot);
    }
  }
  end(slot);
  if (user_ != nullptr) {
    user_->handle_disk_done(now, id_, done);
  }
}

void SimDisk::end(std::uint32_t slot) {
  Op& entry = ops_[slot];
  entry.in_use = false;
  ++entry.generation;
  free_.push_back(slot);
  --in_flight_;
}

void SimDisk::execute(Instant now, std::uint32_t slot) {
  const StoreOp& op = ops_[slot].op;
  switch (op.kind) {
    case StoreOpKind::read:
      ++counters_.reads;
      copy_bytes(op.data, ConstByteSpan(now_image_).subspan(op.offset_bytes, op.length_bytes));
      break;
    case StoreOpKind::flush:
      ++counters_.flushes;
      promote_staged(slot);
      clean_dirty_list();
      break;
    default:
      change(now, op);
      break;
  }
}

void SimDisk::change(Instant now, const StoreOp& op) {
  ++counters_.writes;
  if (observer_ != nullptr) {
    observer_->on_disk_change(now, id_, op);
  }
  const std::uint64_t first = op.offset_bytes / kSectorBytes;
  const std::uint64_t count = op.length_bytes / kSectorBytes;
  const bool keeps = op.kind == StoreOpKind::discard && !options_.discard_reads_zero;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (op.kind == StoreOpKind::write) {
      const bool strays =
          options_.misdirected_ppm != 0 && prng_.chance(options_.misdirected_ppm, 1'000'000);
      put(strays ? (first + i + 1) % options_.sectors : first + i,
          op.data.subspan(i * kSectorBytes, kSectorBytes), op.durability);
    } else if (!keeps || prng_.chance(1, 2)) {
      put(first + i, kZeros, op.durability);
    }
  }
}

void SimDisk::put(std::uint64_t lba, ConstByteSpan data, Durability durability) {
  copy_bytes(image_sector(now_image_, lba), data);
  Version& version = versions_[lba];
  version.changed = next_change_++;
  version.is_lost = false;
  if (durability == Durability::stable && !options_.lies) {
    make_durable(lba, data, version.changed);
  } else if (!version.is_listed) {
    version.is_listed = true;
    dirty_.push_back(lba);
  }
}

void SimDisk::make_durable(std::uint64_t lba, ConstByteSpan data, std::uint64_t version) {
  if (options_.lies) {
    return;
  }
  if (versions_[lba].durable < version) {
    versions_[lba].durable = version;
    copy_bytes(image_sector(durable_image_, lba), data);
  }
}

// A write that failed or was cut off: each sector for itself.
void SimDisk::partly_execute(Instant now, const StoreOp& op) {
  const std::uint64_t count = op.length_bytes / kSectorBytes;
  std::uint64_t kept = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (prng_.below(100) < options_.torn_percent) {
      ++kept;
      StoreOp part = op;
      part.offset_bytes = op.offset_bytes + i * kSectorBytes;
      part.length_bytes = kSectorBytes;
      if (op.kind == StoreOpKind::write) {
        part.data = op.data.subspan(i * kSectorBytes, kSectorBytes);
      }
      change(now, part);
    }
  }
  counters_.torn += kept != 0 && kept != count ? 1U : 0U;
}

// --- flush ---

void SimDisk::stage(std::uint32_t slot) {
  for (const std::uint64_t lba : dirty_) {
    const Version& version = versions_[lba];
    if (version.durable < version.changed && !version.is_lost) {
      staged_.push_back(
          {.op = slot, .lba = lba, .version = version.changed, .offset = staged_bytes_.size()});
      const ConstByteSpan content = sector(lba);
      staged_bytes_.insert(staged_bytes_.end(), content.begin(), content.end());
    }
  }
}

void SimDisk::promote_staged(std::uint32_t slot) {
  for (const Staged& staged : staged_) {
    if (staged.op == slot && staged.lba < options_.sectors) {
      make_durable(staged.lba, ConstByteSpan(staged_bytes_).subspan(staged.offset, kSectorBytes),
                   staged.version);
    }
  }
  drop_staged(slot);
}

void SimDisk::drop_staged(std::uint32_t slot) {
  std::erase_if(staged_, [slot](const Staged& staged) { return staged.op == slot; });
  if (staged_.empty()) {
    staged_bytes_.clear();
  }
}

void SimDisk::clean_dirty_list() {
  std::erase_if(dirty_, [this](std::uint64_t lba) {
    Version& version = versions_[lba];
    version.is_listed = version.durable < version.changed;
    return !version.is_listed;
  });
}

// A failed flush: what it covered counts as clean from now on, and some of it never was written.
void SimDisk::lose_unflushed(std::uint64_t issued) {
  for (const std::uint64_t lba : dirty_) {
    Version& version = versions_[lba];
    if (version.changed >= issued || version.durable >= version.changed) {
      continue;
    }
    if (prng_.chance(1, 2)) {
      make_durable(lba, sector(lba), version.changed);
    } else {
      version.is_lost = true;
    }
  }
  clean_dirty_list();
}

// --- crashes ---

void SimDisk::process_died(Instant now) {
  for (std::uint32_t slot = 0; slot < ops_.size(); ++slot) {
    if (!ops_[slot].in_use) {
      continue;
    }
    const StoreOp op = ops_[slot].op;
    if (changes_medium(op.kind) && !hangs_ && prng_.chance(1, 2)) {
      ++counters_.orphans;
      change(now, op);
    } else if (op.kind == StoreOpKind::flush) {
      drop_staged(slot);
    }
    end(slot);
  }
}

void SimDisk::power_cut(Instant now) {
  for (std::uint32_t slot = 0; slot < ops_.size(); ++slot) {
    if (!ops_[slot].in_use) {
      continue;
    }
    const StoreOp op = ops_[slot].op;
    if (changes_medium(op.kind) && !hangs_) {
      partly_execute(now, op);
    } else if (op.kind == StoreOpKind::flush) {
      for (const Staged& staged : staged_) {
        if (staged.op == slot && prng_.chance(1, 2)) {
          make_durable(staged.lba,
                       ConstByteSpan(staged_bytes_).subspan(staged.offset, kSectorBytes),
                       staged.version);
        }
      }
      drop_staged(slot);
    }
    end(slot);
  }
  for (const std::uint64_t lba : dirty_) {
    Version& version = versions_[lba];
    version.is_listed = false;
    if (version.durable < version.changed && !version.is_lost && prng_.chance(1, 2)) {
      make_durable(lba, sector(lba), version.changed);
    }
    version.is_lost = false;
    if (!equal_bytes(sector(lba), durable_sector(lba))) {
      ++counters_.lost_sectors;
    }
    version.changed = version.durable;
    copy_bytes(image_sector(now_image_, lba), durable_sector(lba));
  }
  dirty_.clear();
  if (observer_ != nullptr) {
    observer_->on_power_cut(now, id_);
  }
}

void SimDisk::resize(std::uint64_t sectors) {
  options_.sectors = sectors;
  now_image_.resize(sectors * kSectorBytes);
  durable_image_.resize(sectors * kSectorBytes);
  versions_.resize(sectors);
  std::erase_if(dirty_, [sectors](std::uint64_t lba) { return lba >= sectors; });
}

}  // namespace aoe::sim
