// A regular file or block device as a store.
#pragma once

#include "base/ring_queue.h"
#include "os/mapped_memory.h"
#include "storage/block_store.h"
#include "storage/completion_queue.h"
#include "storage/file_backing.h"
#include "storage/io_engine.h"
#include "storage/mapped_window.h"
#include "storage/slot_table.h"
#include "storage/store_options.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace aoe::storage {

// Neighbouring reads, and neighbouring writes, of one submitted batch become one system call; an
// error then is traced back by running the parts on their own.
//
// Files in memory (tmpfs) are copied from and to where they lie, by a mapping; system calls do what
// that cannot (see MappedWindow).
//
// Takes visible operations only and is volatile: GroupCommitStore on top gives durability. A flush
// is one fdatasync; one that fails is reported as sync_failed and never tried again, because the
// kernel forgets the pages it could not write and the second try would succeed without them. Up to
// info().flushes_at_once that overlap have a descriptor each.
//
// Direct I/O from memory that does not suit the device goes through a fixed set of aligned buffers;
// operations wait for one when all are in use, and long ones pass in pieces.
//
// A store may be destroyed while operations are in flight (a hung backend). The engine keeps the
// descriptor and the records until the kernel is done; the data memory of those operations stays
// with its owner, who keeps it for as long as engine.in_flight() says so.
//
// Completions arrive through IoEngine::poll on the engine's thread.
class FileStore final : public BlockStore, private IoClient, private Prefetcher {
 public:
  // See FileBacking::open for what is refused. `engine` outlives the store.
  static Result<std::unique_ptr<FileStore>> open(const std::string& path,
                                                 const StoreOptions& options, IoEngine& engine);
  ~FileStore() override;
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;

  [[nodiscard]] std::string describe() const override;

  [[nodiscard]] const StoreInfo& info() const override { return info_; }

  [[nodiscard]] StoreStats stats() const override { return stats_; }

  [[nodiscard]] const Prefetcher* prefetcher() const override;

  // An operation outside the size (the backing shrank, and its submitter does not know yet)
  // completes as truncated.
  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;
  Result<std::uint64_t> refresh() override;
  std::uint64_t look_at_size() override;

  // Bytes behind the last whole sector of the backing, 0..511: worth a warning, they are not
  // served.
  [[nodiscard]] std::uint32_t odd_tail_bytes() const;

 private:
  static constexpr std::size_t kRunPartsMax = 16;
  static constexpr std::size_t kBounceBytes = std::size_t{128} * 1024;
  static constexpr std::size_t kBounceBuffers = 16;
  static constexpr std::size_t kZeroBytes = std::size_t{64} * 1024;
  static constexpr std::uint16_t kNoBounce = 0xFFFF;
  static constexpr std::uint16_t kNoFlushFd = 0xFFFF;

  // How a range of zeros is made. Goes down this list as the backing refuses one after the other.
  enum class ZeroMethod : std::uint8_t { zero_range, punch_hole, write };
  enum class Merging : bool { no, yes };

  // One submitted operation inside a run.
  struct Part {
    StoreTag tag;
    std::uint64_t length_bytes = 0;
    std::byte* data = nullptr;
  };

  // What one chain of system calls works on: parts that follow each other without a gap.
  struct Run {
    StoreOpKind kind = StoreOpKind::read;
    ZeroMethod zero_method = ZeroMethod::zero_range;
    bool needs_bounce = false;
    std::uint16_t bounce = kNoBounce;
    std::uint16_t flush_fd = kNoFlushFd;
    std::uint16_t part_count = 0;
    std::uint16_t parts_done = 0;        // their completions are out
    std::uint16_t interruptions = 0;     // in a row
    std::uint64_t offset_bytes = 0;      // of the first part, in the window
    std::uint64_t length_bytes = 0;      // of all parts
    std::uint64_t done_bytes = 0;        // from the front
    std::uint64_t parts_done_bytes = 0;  // where the first part without completion starts
    std::array<Part, kRunPartsMax> parts{};
    std::array<iovec, kRunPartsMax> iovecs{};  // the kernel's copy of what is left
  };

  // All that the kernel sees; outlives the store if it has to.
  struct State final : IoKeepalive {
    State(FileBacking opened, std::size_t in_flight_max)
        : backing(std::move(opened)), runs(in_flight_max) {}

    FileBacking backing;
    SlotTable<Run> runs;

    struct statx status {};  // of the last look at the size

    os::MappedMemory bounce_memory;  // direct I/O only
    os::MappedMemory zeros;
  };

  FileStore(std::unique_ptr<State> state, IoEngine& engine, const StoreInfo& info);

  void prefetch_way(const StoreOp& /*op*/) const override { done_.prefetch(); }

  void prefetch_data(const StoreOp& op) const override;
  void handle_io_done(std::uint32_t cookie, std::int64_t result) override;

  // Accepting work.
  void accept(const StoreOp& op, Merging merging);
  [[nodiscard]] bool is_inside(const StoreOp& op) const;
  [[nodiscard]] bool move_mapped(const StoreOp& op);
  [[nodiscard]] bool try_merge(const StoreOp& op, bool bounces);
  [[nodiscard]] bool needs_bounce(const StoreOp& op) const;

  // Giving it to the engine.
  void issue(SlotHandle handle);
  void issue_transfer(SlotHandle handle, Run& run);
  void issue_zeroes(SlotHandle handle, Run& run);
  [[nodiscard]] int take_flush_fd(Run& run);
  void flush_issued();
  [[nodiscard]] std::span<const iovec> rest_of(Run& run) const;
  [[nodiscard]] std::span<std::byte> bounce_buffer(std::uint16_t index) const;

  // Taking results.
  void advance(SlotHandle handle, Run& run, std::int64_t result);
  void advance_transfer(SlotHandle handle, Run& run, std::uint64_t moved_bytes);
  void fail_run(SlotHandle handle, Run& run, int os_errno);
  void split(SlotHandle handle);
  [[nodiscard]] bool try_next_zero_method(SlotHandle handle, Run& run, int os_errno);
  [[nodiscard]] StoreErrc classify(const Run& run, int os_errno) const;

  // Finishing.
  void finish_covered_parts(Run& run);
  void finish_rest(SlotHandle handle, Run& run, StoreErrc status);
  void finish_part(const Run& run, const Part& part, StoreErrc status, std::uint64_t error_offset);
  void release(SlotHandle handle);

  IoEngine& engine_;
  IoClientId client_;
  std::unique_ptr<State> state_;
  StoreInfo info_;
  MappedWindow mapped_;      // files in memory only
  bool is_looking_ = false;  // a look at the size is under way
  StoreStats stats_;
  ZeroMethod zero_method_ = ZeroMethod::zero_range;
  std::vector<IoOp> issued_;           // for the next engine submit
  std::vector<SlotHandle> mergeable_;  // runs of the batch being accepted
  std::vector<std::uint16_t> free_bounces_;
  RingQueue<SlotHandle> waiting_for_bounce_;
  std::vector<std::uint32_t> flushes_of_fd_;  // in flight
  CompletionQueue done_;
};

}  // namespace aoe::storage
