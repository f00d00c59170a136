// A disk in memory that finishes operations at once or when a test says so.
#pragma once

#include "base/store_op.h"
#include "support/frame_builder.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aoe::test {

// What the core asked of a disk, without the data.
struct StoreRecord {
  StoreOpKind kind = StoreOpKind::read;
  Durability durability = Durability::visible;
  std::uint64_t lba = 0;
  std::uint64_t sectors = 0;
  friend bool operator==(const StoreRecord&, const StoreRecord&) = default;
};

// Sparse: a sector that was never written or was discarded reads as the blank byte. Checks what
// every submitter promises: whole sectors inside the disk (see problems()).
class ModelDisk {
 public:
  explicit ModelDisk(std::uint64_t sector_count) : sector_count_(sector_count) {}

  // What sectors that were never written consist of, 0 unless told.
  void set_blank(std::byte blank) { blank_ = blank; }

  // From now on operations wait for finish_*(); what waits is not executed yet.
  void hold() { is_holding_ = true; }

  // Operations finish at once again; those that wait still wait.
  void stop_holding() { is_holding_ = false; }

  struct Failure {
    StoreErrc status = StoreErrc::io;
    std::optional<StoreOpKind> kind;      // only these; any when empty
    std::optional<std::uint64_t> at_lba;  // only operations that touch it, which is the bad one
    std::uint32_t times = 1;
  };

  void fail_next(const Failure& failure) { failures_.push_back(failure); }

  // Takes an operation over. The completion, unless the disk is holding.
  [[nodiscard]] std::optional<StoreCompletion> submit(const StoreOp& op);

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  // Executes a waiting operation, `index` counted in the order of arrival, and takes it off the
  // list. A status other than ok fails it instead.
  [[nodiscard]] StoreCompletion finish(std::size_t index, StoreErrc status = StoreErrc::ok);

  // Content, behind the core's back.
  [[nodiscard]] Bytes peek(std::uint64_t lba, std::uint64_t sectors = 1) const;
  void poke(std::uint64_t lba, ConstByteSpan data);

  [[nodiscard]] std::uint64_t sector_count() const { return sector_count_; }

  void set_sector_count(std::uint64_t sector_count) { sector_count_ = sector_count; }

  // Everything that was submitted since the last call.
  [[nodiscard]] std::vector<StoreRecord> take_log() { return std::exchange(log_, {}); }

  // Broken promises of the submitter, one a line; empty is good.
  [[nodiscard]] const std::string& problems() const { return problems_; }

 private:
  void check(const StoreOp& op);
  [[nodiscard]] std::optional<StoreCompletion> take_failure(const StoreOp& op);
  void execute(const StoreOp& op);

  std::uint64_t sector_count_;
  std::byte blank_{};
  bool is_holding_ = false;
  std::deque<Failure> failures_;
  std::vector<StoreOp> waiting_;
  std::map<std::uint64_t, Bytes> sectors_;
  std::vector<StoreRecord> log_;
  std::string problems_;
};

}  // namespace aoe::test
