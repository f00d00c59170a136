// A disk with a volatile cache, and everything that disks do wrong.
#pragma once

#include "base/bytes.h"
#include "base/prng.h"
#include "base/store_op.h"
#include "sim/world/event_queue.h"
#include "sim/world/world.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::sim {

// Takes the completions of a disk: the host that uses it.
class DiskUser {
 public:
  DiskUser() = default;
  virtual ~DiskUser() = default;
  DiskUser(const DiskUser&) = delete;
  DiskUser& operator=(const DiskUser&) = delete;

  virtual void handle_disk_done(Instant now, std::uint32_t disk, const StoreCompletion& done) = 0;
};

// Sees what happens to the medium: the checkers. Nothing is true that it has not seen.
class DiskObserver {
 public:
  DiskObserver() = default;
  virtual ~DiskObserver() = default;
  DiskObserver(const DiskObserver&) = delete;
  DiskObserver& operator=(const DiskObserver&) = delete;

  // `op` takes effect: later reads see it, the disk still shows what was there before. Called for
  // write, discard and write_zeroes, also for those that outlived the process which submitted them.
  virtual void on_disk_change(Instant now, std::uint32_t disk, const StoreOp& op) = 0;
  // What was not stable may be gone from now on.
  virtual void on_power_cut(Instant now, std::uint32_t disk) = 0;
};

// Times an operation takes. A disk does `parallel` of them at once.
struct DiskSpeed {
  enum class Kind : std::uint8_t { flash, spinning };
  Kind kind = Kind::flash;
  std::uint32_t parallel = 8;
  Duration read_min = Duration::microseconds(20);
  Duration read_spread = Duration::microseconds(30);  // uniform, on top
  Duration write_min = Duration::microseconds(10);
  Duration write_spread = Duration::microseconds(20);
  Duration stable_extra = Duration::microseconds(20);  // of a write that has to be stable
  Duration flush = Duration::microseconds(300);
  std::uint32_t tail_ppm = 0;  // operations that take up to `tail` longer
  Duration tail = Duration::milliseconds(50);
  // Spinning: a whole stroke, and a turn; a seek takes its share of the stroke.
  Duration stroke = Duration::milliseconds(14);
  Duration turn = Duration::microseconds(8'333);
};

struct DiskOptions {
  std::uint64_t sectors = 1024;
  DiskSpeed speed{};
  std::uint32_t ops_max = 1024;       // in flight
  bool discard_reads_zero = true;     // else a discarded sector keeps its content or loses it
  std::uint32_t torn_percent = 50;    // of the sectors under way at a power cut that are kept
  std::uint32_t read_error_ppm = 0;   // chance of EIO
  std::uint32_t write_error_ppm = 0;  // the same; nothing or a part of it was written
  std::uint32_t flush_error_ppm = 0;  // the flush fails, and what it should have saved is lost
  // What no disk may do, to see that somebody notices.
  bool lies = false;                  // stable writes and flushes make nothing durable
  std::uint32_t misdirected_ppm = 0;  // a write goes to a neighbour
};

// What reads see (`now`) and what a power cut would leave (`durable`) are two images of the disk.
// A write reaches the first when it completes; the second by a flush that was submitted after it
// had completed, or at once where it is a stable one. At a power cut each sector that is not
// durable yet goes its own way: a write of several tears. 512 bytes are atomic.
//
// Operations take effect when they complete, in any order: whoever submits overlapping ones at once
// gets what he deserves.
class SimDisk final : public EventHandler {
 public:
  SimDisk(World& world, std::uint32_t id, const DiskOptions& options);

  void set_user(DiskUser* user) { user_ = user; }

  void set_observer(DiskObserver* observer) { observer_ = observer; }

  // Takes the operation over; its memory belongs to the disk until the completion, or until
  // process_died() or power_cut() returns.
  void submit(Instant now, const StoreOp& op);

  [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }

  // ---- Faults

  // Nothing completes until release().
  void hang() { hangs_ = true; }

  void release(Instant now);

  [[nodiscard]] bool hangs() const { return hangs_; }

  // The next operation of this kind fails.
  void fail_next(StoreOpKind kind, StoreErrc status) { planned_ = Planned{kind, status}; }

  void set_error_chances(const DiskOptions& chances);

  // Who submitted is gone; the kernel is not. Each operation in flight is executed or not, and
  // nobody hears of it.
  void process_died(Instant now);

  // The disk loses its cache and forgets what was in flight.
  void power_cut(Instant now);

  // Grows with zeros, or loses its end.
  void resize(std::uint64_t sectors);

  // ---- Looking at it

  [[nodiscard]] std::uint64_t sectors() const { return options_.sectors; }

  [[nodiscard]] bool discards_to_zeros() const { return options_.discard_reads_zero; }

  [[nodiscard]] ConstByteSpan sector(std::uint64_t lba) const;
  [[nodiscard]] ConstByteSpan durable_sector(std::uint64_t lba) const;

  struct Counters {
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    std::uint64_t flushes = 0;
    std::uint64_t errors = 0;
    std::uint64_t torn = 0;          // writes of which a power cut kept some sectors and not others
    std::uint64_t lost_sectors = 0;  // at power cuts
    std::uint64_t orphans = 0;       // executed after their process had died
  };

  [[nodiscard]] const Counters& counters() const { return counters_; }

  void handle_event(Instant now, std::uint32_t what, std::uint64_t value) override;

 private:
  struct Op {
    StoreOp op;
    std::uint32_t generation = 0;
    std::uint64_t issued = 0;  // of a flush: changes with smaller numbers are covered
    bool in_use = false;
    bool is_due = false;  // it would have completed, but the disk hangs
  };

  struct Planned {
    StoreOpKind kind;
    StoreErrc status;
  };

  struct Version {
    std::uint64_t changed = 0;  // number of the last change; 0: never
    std::uint64_t durable = 0;  // number of the change that is durable
    bool is_listed = false;     // in dirty_
    bool is_lost = false;       // a failed flush dropped it: reads see it until the next power cut
  };

  // What a flush in flight has to make durable: the content at the time of its submission.
  struct Staged {
    std::uint32_t op = 0;
    std::uint64_t lba = 0;
    std::uint64_t version = 0;
    std::size_t offset = 0;  // into staged_bytes_
  };

  [[nodiscard]] Instant completion_time(Instant now, const StoreOp& op);
  [[nodiscard]] StoreErrc draw_status(const StoreOp& op);
  void complete(Instant now, std::uint32_t slot);
  void execute(Instant now, std::uint32_t slot);
  void change(Instant now, const StoreOp& op);
  void put(std::uint64_t lba, ConstByteSpan data, Durability durability);
  void make_durable(std::uint64_t lba, ConstByteSpan data, std::uint64_t version);
  void partly_execute(Instant now, const StoreOp& op);
  void stage(std::uint32_t slot);
  void promote_staged(std::uint32_t slot);
  void drop_staged(std::uint32_t slot);
  void lose_unflushed(std::uint64_t issued);
  void clean_dirty_list();
  void end(std::uint32_t slot);

  [[nodiscard]] ByteSpan image_sector(std::vector<std::byte>& image, std::uint64_t lba) {
    return ByteSpan(image).subspan(lba * kSectorBytes, kSectorBytes);
  }

  World& world_;
  std::uint32_t id_;
  DiskOptions options_;
  Prng prng_;
  DiskUser* user_ = nullptr;
  DiskObserver* observer_ = nullptr;
  std::vector<std::byte> now_image_;
  std::vector<std::byte> durable_image_;
  std::vector<Version> versions_;
  std::vector<std::uint64_t> dirty_;  // sectors whose images may differ
  std::vector<Staged> staged_;
  std::vector<std::byte> staged_bytes_;
  std::uint64_t next_change_ = 1;
  std::vector<Op> ops_;
  std::vector<std::uint32_t> free_;
  std::uint32_t in_flight_ = 0;
  std::vector<Instant> lanes_;  // when each of the parallel ones is free
  std::uint64_t head_ = 0;      // spinning: where it stands
  bool hangs_ = false;
  std::optional<Planned> planned_;
  Counters counters_;
};

}  // namespace aoe::sim
