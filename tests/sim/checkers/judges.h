// Everything that is always watched in a run, joined.
#pragma once

#include "sim/actors/initiator_host.h"
#include "sim/actors/target_host.h"
#include "sim/checkers/cache_checker.h"
#include "sim/checkers/execution_checker.h"
#include "sim/checkers/fence_checker.h"
#include "sim/checkers/register_history.h"
#include "sim/checkers/violations.h"
#include "sim/checkers/zero_checker.h"
#include "sim/world/sim_disk.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aoe::sim {

// Hears of every disk and target of a run, and of every write of its users.
class Judges final : public DiskObserver, public TargetObserver, public InitiatorTap {
 public:
  // Attaches itself. The disk is served by the target as its export number `place`.
  void watch(TargetHost& target, SimDisk& disk, std::uint32_t disk_id);

  struct WriterPorts {
    std::vector<MacAddress> addresses;
    ExecutionChecker::Promise promise = ExecutionChecker::Promise::at_least_once;
  };

  // The number of a new life of a user.
  [[nodiscard]] std::uint32_t new_writer(const WriterPorts& ports);

  // Tells what happens to one sector, for a look at a failing run: a line without its end each.
  using Listener = std::function<void(const std::string& line)>;

  void narrate(SectorPlace place, Listener listener) {
    narrated_ = place;
    listener_ = std::move(listener);
  }

  // A line about a range of a disk, when it is the one that is narrated. `words` are joined.
  void tell(Instant now, std::uint32_t disk, std::uint64_t lba, std::uint64_t sectors,
            std::initializer_list<std::string_view> words) const;

  [[nodiscard]] bool narrates() const { return narrated_.has_value(); }

  // Several users write the same sectors: what is executed again may come between their writes.
  void share_sectors() { sectors_are_shared_ = true; }

  // To see that a reservation is watched: nobody is known by an address from now on.
  void hide_addresses() { addresses_are_hidden_ = true; }

  Violations violations;
  RegisterHistory history;
  ExecutionChecker executions{violations};
  ZeroChecker zeros{violations};
  FenceChecker fences{violations};
  CacheChecker caches{violations};

  void on_disk_change(Instant now, std::uint32_t disk, const StoreOp& op) override;
  void on_power_cut(Instant now, std::uint32_t disk) override;
  void on_store_op(Instant now, std::uint32_t disk, const StoreOp& op) override;
  void on_target_frame(Instant now, std::uint32_t target, ConstByteSpan frame) override;
  void on_target_death(Instant now, std::uint32_t target, Death how) override;
  void on_initiator_frame(ConstByteSpan frame) override;

 private:
  struct Watched {
    std::uint32_t disk_id = 0;
    TargetHost* target = nullptr;
    DeviceAddress address;
    const SimDisk* disk = nullptr;
    bool has_cache = false;  // acknowledged does not mean stable
  };

  void tell_of_write(ConstByteSpan frame) const;
  // Of a frame that trims, or writes zeros, in a session or not.
  void note_zeros(ConstByteSpan frame, std::uint32_t sequence);
  void judge_zeros(Instant now, const Watched& watched, const StoreOp& op);
  void judge_fences(Instant now, const Watched& watched, const StoreOp& op);

  std::vector<Watched> watched_;  // by disk
  std::uint32_t writers_ = 0;
  bool sectors_are_shared_ = false;
  bool addresses_are_hidden_ = false;
  std::optional<SectorPlace> narrated_;
  Listener listener_;
};

}  // namespace aoe::sim
