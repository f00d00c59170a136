// A user of disks: makes requests, checks what comes back.
#pragma once

#include "base/prng.h"
#include "sim/actors/block_machine.h"
#include "sim/checkers/judges.h"
#include "sim/checkers/sector_content.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace aoe::sim {

struct WorkloadMix {  // weights
  std::uint32_t read = 50;
  std::uint32_t write = 50;
  std::uint32_t flush = 0;
  std::uint32_t trim = 0;
  std::uint32_t write_zeroes = 0;
  std::uint32_t durable_percent = 0;  // of the writes
};

// A disk that a workload uses, and the part of it that it may write.
struct WorkloadDisk {
  DeviceAddress address;
  std::uint32_t disk = 0;     // as the checkers know it
  std::uint64_t sectors = 0;  // it uses the first ones
  // Of every row of `owners` chunks it writes the one numbered `owner`; with one owner, or
  // everybody an owner of everything, it writes anywhere.
  std::uint32_t owner = 0;
  std::uint32_t owners = 1;
  std::uint64_t chunk_sectors = 16;
  std::string serial{};            // the only one to be trusted; empty: any
  std::vector<MacAddress> macs{};  // likewise
  bool trim_is_sure = true;        // trimmed sectors read as zeros
};

struct WorkloadOptions {
  std::uint32_t index = 0;  // names its chance
  std::vector<WorkloadDisk> disks;
  initiator::DeviceSettings device{};
  WorkloadMix mix{};
  std::uint32_t depth = 16;       // requests at the same time
  std::uint32_t sectors_max = 8;  // of one request
  std::uint64_t hot_sectors = 0;  // 0: all over the disk; else the first ones only
  Duration think_max{};           // before the next request
  Duration timeout{};             // of a request; 0: the device's
  ExecutionChecker::Promise promise = ExecutionChecker::Promise::at_least_once;
};

// Endings of requests, by kind.
struct WorkloadCounters {
  std::uint64_t submitted = 0;
  std::uint64_t ok = 0;
  std::uint64_t failed = 0;  // with an ATA or AoE error
  std::uint64_t timed_out = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t lost = 0;  // the machine crashed
  std::uint64_t retransmissions = 0;

  [[nodiscard]] std::uint64_t ended() const { return ok + failed + timed_out + cancelled; }

  // What the initiator told of.
  std::uint64_t paths_lost = 0;
  std::uint64_t devices_lost = 0;
  std::uint64_t events_lost = 0;
  std::uint64_t second_instances = 0;
  std::uint64_t flushes_moved = 0;  // answered although a path went while they were under way
};

class Workload final : public IoUser {
 public:
  Workload(BlockMachine& host, Judges& judges, WorkloadOptions options);

  // Opens the disks, the first time; then requests are made until `operations` more were submitted.
  void start(std::uint64_t operations);

  // One request that a scenario wants, besides the others; nothing when it cannot be submitted now.
  struct Wish {
    initiator::IoOp op = initiator::IoOp::read;
    std::uint32_t disk = 0;  // index into the options' disks
    std::uint64_t lba = 0;
    std::uint64_t sectors = 0;
    bool durable = false;
  };

  [[nodiscard]] std::optional<std::uint32_t> ask(const Wish& wish);

  // How a request that was asked for has ended; nothing while it has not.
  [[nodiscard]] const std::optional<initiator::IoCompletion>& answer(std::uint32_t number) const {
    return asked_[number];
  }

  // How many requests ask() has submitted.
  [[nodiscard]] std::uint64_t asked() const { return asked_.size(); }

  [[nodiscard]] std::uint32_t disks() const {
    return static_cast<std::uint32_t>(options_.disks.size());
  }

  // No new requests until go_on().
  void hold() { held_ = true; }

  void go_on();

  [[nodiscard]] bool is_done() const { return operations_left_ == 0 && busy_ == 0; }

  // Whether there are requests that could be made now, none of which is thought about.
  [[nodiscard]] bool wants_more() const { return !held_ && operations_left_ > 0; }

  [[nodiscard]] std::uint32_t in_flight() const { return busy_; }

  // The first requests that are open, for messages.
  [[nodiscard]] std::string describe_open() const;
  // A line a device.
  [[nodiscard]] std::string describe_paths() const;

  [[nodiscard]] const WorkloadCounters& counters() const { return counters_; }

  // Asked for each request that failed: whether something that happened explains it.
  std::function<bool(const WorkloadDisk&, const initiator::IoCompletion&)> excuse;

  void on_completion(const initiator::IoCompletion& done) override;
  void on_initiator_event(const initiator::Event& event) override;
  void on_time(std::uint64_t value) override;
  void on_crash() override;
  void on_restart() override;

 private:
  static constexpr std::uint32_t kNotAsked = 0xFFFFFFFF;

  struct Slot {
    bool busy = false;
    bool thinks = false;
    std::uint32_t disk = 0;
    std::uint32_t generation = 0;
    initiator::IoRequest request{};
    std::uint64_t op = 0;             // number of a write
    std::uint32_t asked = kNotAsked;  // number of what a scenario asked for
    bool path_went = false;           // while it was under way
    RegisterHistory::Ticket ticket = 0;
    ZeroChecker::Ticket zeros = 0;  // of a trim or a write of zeros
    CacheChecker::FlushStart flush_start{};
  };

  void begin_life();
  void pump();
  void choose(Slot& slot, std::uint32_t index);
  void prepare(Slot& slot, std::uint32_t index, const Wish& wish);
  // False when it could not be submitted now.
  [[nodiscard]] bool submit(std::uint32_t slot);
  void begin(Slot& slot);
  [[nodiscard]] initiator::IoOp choose_op();
  void end(Slot& slot, const initiator::IoCompletion& done);
  void check_read(Slot& slot);
  void forget(const Slot& slot);
  void narrate(const Slot& slot, const char* what);
  void violate(Rule rule, std::string what);

  BlockMachine& host_;
  Judges& judges_;
  WorkloadOptions options_;
  Prng prng_;
  std::uint32_t writer_ = 0;
  std::uint64_t next_op_ = 0;
  std::uint64_t operations_left_ = 0;
  bool held_ = false;
  std::uint32_t busy_ = 0;
  std::vector<initiator::DeviceId> devices_;  // by disk
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> idle_;
  std::vector<std::optional<initiator::IoCompletion>> asked_;
  std::vector<std::byte> memory_;
  std::vector<SectorValue> values_;
  WorkloadCounters counters_;
};

}  // namespace aoe::sim
