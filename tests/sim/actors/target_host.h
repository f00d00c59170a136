// A machine that serves disks: the real target core with ports, buffers, disks, a place for its
// state and a clock around it.
#pragma once

#include "base/buffer_pool.h"
#include "sim/actors/station.h"
#include "sim/world/sim_disk.h"
#include "target/target_core.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::sim {

// Sees what a target does to the outside: the checkers.
class TargetObserver {
 public:
  TargetObserver() = default;
  virtual ~TargetObserver() = default;
  TargetObserver(const TargetObserver&) = delete;
  TargetObserver& operator=(const TargetObserver&) = delete;

  // Before the operation reaches the disk.
  virtual void on_store_op(Instant /*now*/, std::uint32_t /*disk*/, const StoreOp& /*op*/) {}

  // A frame leaves the core.
  virtual void on_target_frame(Instant /*now*/, std::uint32_t /*target*/, ConstByteSpan /*frame*/) {
  }

  virtual void on_target_event(Instant /*now*/, std::uint32_t /*target*/,
                               const target::TargetEvent& /*event*/) {}

  enum class Death : std::uint8_t { killed, power_cut };

  // After its disks were told.
  virtual void on_target_death(Instant /*now*/, std::uint32_t /*target*/, Death /*how*/) {}
};

struct TargetHostOptions {
  std::uint32_t index = 0;  // names its chance
  target::TargetLimits limits{};
  std::uint32_t buffers = 2048;
  std::size_t frame_bytes = 9014;
  std::int32_t drift_ppm = 0;
  Duration save_time = Duration::milliseconds(3);  // until a state is on stable storage
};

// What the lives of a target's core counted, added up.
struct TargetTotals {
  std::uint64_t queue_full = 0;
  std::uint64_t rate_limited = 0;
  std::uint64_t change_pending = 0;
  std::uint64_t range_waits = 0;
  std::uint64_t stalls = 0;
  std::uint64_t failures = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t reservations = 0;
  std::uint64_t restarts = 0;
  std::uint64_t copies_executing = 0;
  std::uint64_t copies_answered = 0;
  std::uint64_t copies_stale = 0;
  std::uint64_t renews = 0;
  std::uint64_t hellos_refused = 0;
  std::uint64_t damaged = 0;
  std::uint64_t held = 0;
  std::uint64_t late_changes = 0;
  // Of Linux hosts, see target/late_write_filter.h.
  std::uint64_t clocks_learned = 0;
  std::uint64_t clocks_lost = 0;
  std::uint64_t late_writes = 0;
  std::uint64_t unremembered_writes = 0;
};

class TargetHost final : public Station, public DiskUser {
 public:
  TargetHost(World& world, const TargetHostOptions& options);
  ~TargetHost() override;

  void set_observer(TargetObserver* observer) { observer_ = observer; }

  [[nodiscard]] const TargetHostOptions& options() const { return options_; }

  // Before start(). The disk belongs to the caller and is used by nobody else at the same time.
  void add_export(const target::ExportSettings& settings, SimDisk& disk, std::uint32_t disk_id);

  // After the ports were added.
  void start();

  // nullptr while it is off.
  [[nodiscard]] target::TargetCore* core() { return core_.get(); }

  struct Served {
    target::ExportSettings settings;
    SimDisk* disk = nullptr;
    std::uint32_t disk_id = 0;
    ExportId id;                   // in the present core
    std::vector<std::byte> saved;  // its state on stable storage
    std::uint64_t saves = 0;
  };

  [[nodiscard]] std::vector<Served>& exports() { return exports_; }

  // ---- Faults

  // The process dies (SIGKILL); it starts again after `off`.
  void kill(Duration off);
  // The machine loses power, its disks their caches.
  void power_cut(Duration off);

  // ---- Administration

  void resize(std::size_t index, std::uint64_t sectors);
  void set_online(std::size_t index, bool online);

  // Starts it if it is off, ends a pause, and does what an operator does after a bad night: every
  // export is online again and its failures are forgotten.
  void recover();

  // What the core wants done is done. After any direct use of the core.
  void settle();

  void handle_disk_done(Instant now, std::uint32_t disk, const StoreCompletion& done) override;

  [[nodiscard]] bool is_up() const { return core_ != nullptr; }

  [[nodiscard]] TargetTotals totals() const;

  // Reply buffers that are in use.
  [[nodiscard]] std::uint64_t buffers_out() const {
    return pool_ == nullptr ? 0 : pool_->count() - pool_->available();
  }

 private:
  enum OwnEvent : std::uint32_t { kRestart = kFirstOwnEvent, kSaved };

  struct Saving {
    bool in_use = false;
    ExportId id;
    std::size_t index = 0;
    std::uint64_t generation = 0;
    std::vector<std::byte> bytes;
  };

  void on_frame(PortId port, PacketBuffer frame) override;
  void on_port(PortId port, const PortInfo& info) override;
  void on_wake() override;
  void on_own_event(Instant now, std::uint32_t what, std::uint64_t value) override;
  void on_resume() override;
  void stop(Duration off);
  void begin_save(target::StateSave save);
  void finish_save(std::size_t place);
  [[nodiscard]] Served* served_by(ExportId id);
  void note_event(const target::TargetEvent& event);
  [[nodiscard]] bool submit_some();
  [[nodiscard]] bool send_some();

  static constexpr std::size_t kBatch = 16;

  TargetHostOptions options_;
  std::uint64_t lives_ = 0;
  std::uint64_t power_cuts_ = 0;
  TargetObserver* observer_ = nullptr;
  std::vector<Served> exports_;
  TargetTotals past_;
  std::unique_ptr<BufferPool> pool_;
  std::unique_ptr<target::TargetCore> core_;
  std::vector<Saving> saving_;
  std::vector<StoreCompletion> finished_while_paused_;
  // Not on the stack: making and destroying them every time costs more than using them.
  std::array<target::ExportStoreOp, kBatch> ops_;
  std::array<target::TxFrame, kBatch> frames_;
  target::TargetEvent event_;
};

}  // namespace aoe::sim
