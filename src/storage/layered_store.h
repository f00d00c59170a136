// A store whose writes can be kept apart from it, in a layer, and merged into it later.
#pragma once

#include "base/store_op.h"
#include "storage/completion_queue.h"
#include "storage/filter_store.h"
#include "storage/layer_format.h"
#include "storage/layer_map.h"
#include "storage/lower_store.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::storage {

// What a layer that was made or found needs to be put over a base.
struct OpenedLayer {
  std::unique_ptr<BlockStore> file;  // all of the layer's file, volatile, taking visible operations
  ReplayedLayer content;
};

// What happens when the layer has no room left.
enum class WhenFull : std::uint8_t {
  merge,   // the base changes from now on, and no write fails
  refuse,  // the base stays as it is, and writes fail
};

struct LayeredOptions {
  WhenFull when_full = WhenFull::merge;
  std::uint64_t merge_bytes_per_second = 0;   // 0: as fast as it goes
  std::uint64_t merge_window_sectors = 2048;  // copied at a time, at least 1
};

enum class LayerPhase : std::uint8_t {
  none,      // the base alone
  settling,  // waiting for what is under way; new operations wait
  active,    // writes go into the layer
  merging,   // the layer goes into the base
  merged,    // and has gone: detach() may be called
};

struct LayerStatus {
  LayerPhase phase = LayerPhase::none;
  std::uint64_t layer_sectors = 0;        // that the layer has and the base has not
  std::uint64_t merge_total_sectors = 0;  // of the merge, when it began
  std::uint64_t merge_position = 0;       // the sector up to which the base has everything
  bool is_full = false;                   // it was, and a merge began for that
  StoreErrc merge_error = StoreErrc::ok;  // of the last try; tried again every ten seconds
  StoreErrc layer_error = StoreErrc::ok;  // the layer lost what it had accepted: nothing more goes
  std::optional<StoreErrc> attach_error;  // of the last attach(), when it came to nothing
};

// Without a layer everything goes to the base as it is, with the tags of its submitter: most
// exports never have one, and pay a call for it. With one:
//
//     write -> layer -> flush -> map block -> flush -> done       (the first write of a sector)
//     write -> layer -> flush -> done                             (further ones)
//
// many writes a flush. A read takes each sector from where it is. A range that was discarded or
// zeroed is a hole of the layer. A crash at any moment leaves every sector as it was acknowledged,
// or as one of the writes since then left it.
//
// A merge goes from sector 0 up, a window at a time: operations on the window wait, it is
// copied, the base is flushed, the header says so, and from then on the window is the base's alone.
// Writes in front of it go into the layer where that has the sector, and to the base elsewhere.
//
// The base gives Durability::stable itself (GroupCommitStore). Work of its own goes on inside
// poll_completions, as long as is_working() says so. Single thread. May only be destroyed while
// operations are in flight when the engine below has been drained (the buffers are its own).
class LayeredStore final : public FilterStore {
 public:
  LayeredStore(std::unique_ptr<BlockStore> base, const LayeredOptions& options);

  [[nodiscard]] std::string describe() const override;
  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;
  [[nodiscard]] std::optional<Instant> poll_timeout() const override;
  [[nodiscard]] bool is_working() const override;

  void stop_working() override {
    is_stopped_ = true;
    FilterStore::stop_working();
  }

  // The size stays what it is while there is a layer.
  Result<std::uint64_t> refresh() override;
  std::uint64_t look_at_size() override;

  // Puts a layer over the base; there is none yet. What was submitted before goes to the base and
  // is flushed; what comes later waits until the layer's header is durable. status() tells when.
  void attach(OpenedLayer layer);
  // Begins to merge, or tries again at once after an error. There is an active layer.
  void begin_merge();
  void set_merge_rate(std::uint64_t bytes_per_second);
  // Gives the merged layer back, to be closed. When status() says `merged` only.
  [[nodiscard]] std::unique_ptr<BlockStore> detach();

  [[nodiscard]] LayerStatus status() const;

  [[nodiscard]] const LayerHeader& header() const { return header_; }

 private:
  static constexpr Duration kRetry = Duration::seconds(10);

  struct Request {
    StoreOp op;
    std::uint16_t parts_left = 0;
    bool is_started = false;     // parts of it may be under way
    bool touches_layer = false;  // so its durability is the layer's business
    bool was_active = false;     // began while all writes went into the layer
    StoreErrc status = StoreErrc::ok;
    std::uint64_t error_offset_bytes = 0;
  };

  // What a completion from below belongs to.
  enum class Owner : std::uint8_t { request, settle, header, commit, merge, punch };

  enum class CommitStep : std::uint8_t { idle, flushing_data, making_room, writing, flushing_map };
  enum class SettleStep : std::uint8_t { idle, draining, flushing_base, writing_header };
  enum class HeaderStep : std::uint8_t { idle, writing, flushing };
  enum class MergeStep : std::uint8_t { idle, locking, reading, writing, marking, finishing };

  // Requests (layered_store.cpp).
  [[nodiscard]] bool passes() const;
  [[nodiscard]] bool has_work_of_its_own() const;
  void pass_waiting(Instant now);
  [[nodiscard]] std::size_t poll_passed(Instant now, std::span<StoreCompletion> out);
  void begin(std::uint16_t slot);
  [[nodiscard]] bool must_wait(const StoreOp& op) const;
  void begin_read(std::uint16_t slot);
  void begin_change(std::uint16_t slot);
  void begin_flush(std::uint16_t slot);
  void add_part(std::uint16_t slot, LowerStore& lower, const SectorExtent& extent);
  void end_part(std::uint16_t slot, const StoreCompletion& done, std::uint64_t shift_bytes);
  void end_parts(std::uint16_t slot);
  void complete(std::uint16_t slot, StoreErrc status, std::uint64_t error_offset_bytes);
  void restart_waiting();
  void take(LowerStore& lower, const LowerDone& done);

  // Making the layer durable (layered_commit.cpp).
  bool step_commit();
  void end_commit_step(StoreErrc status);
  void write_map();
  void fail_commit(StoreErrc status);
  void end_commit();

  // Changes of the layer's state (layered_merge.cpp).
  bool step_settle();
  void end_settle(StoreErrc status);
  void write_header(const LayerHeader& wanted);
  void end_header_step(StoreErrc status);
  void header_is_written(StoreErrc status);
  bool step_merge(Instant now);
  void end_merge_part(StoreErrc status);
  void read_window();
  void write_window();
  void window_is_marked();
  void fail_merge(StoreErrc status);
  [[nodiscard]] bool is_window_busy() const;
  [[nodiscard]] std::vector<SectorExtent> window_runs() const;

  [[nodiscard]] bool can_merge() const;

  [[nodiscard]] bool has_layer() const { return layer_ != nullptr; }

  void submit_layer(StoreOpKind kind, std::uint64_t offset_bytes, ByteSpan data, Owner owner);

  void make_records();

  std::uint32_t passed_ = 0;  // under way in the base without a record here, and then nothing else
  // No layer, and nothing is left of one: all that requests look at is in one line of the cache.
  bool is_plain_ = true;
  bool is_stopped_ = false;
  LayerPhase phase_ = LayerPhase::none;
  LayeredOptions options_;
  LowerStore base_;
  std::unique_ptr<LowerStore> layer_;

  std::vector<Request> requests_;  // made for the first layer
  std::vector<std::uint16_t> free_;
  std::deque<std::uint16_t> waiting_;  // for a settling, or for the window of the merge
  std::uint32_t started_ = 0;
  CompletionQueue done_;
  std::vector<LowerDone> finished_;  // of the turn that runs

  LayerHeader header_;  // as it is on disk
  LayerMap map_;
  LayerLayout layout_;
  std::uint64_t next_map_block_ = 0;
  std::uint64_t next_commit_ = 1;
  std::uint64_t room_until_block_ = 0;  // the map has space in the file up to here
  std::uint64_t room_asked_block_ = 0;  // and up to here, once that was written
  bool is_full_ = false;
  StoreErrc layer_error_ = StoreErrc::ok;
  std::optional<StoreErrc> attach_error_;

  CommitStep commit_step_ = CommitStep::idle;
  std::vector<SectorExtent> dirty_;  // in the layer, but not in the map on disk
  std::vector<SectorExtent> committing_;
  std::vector<std::uint16_t> unsafe_;   // requests that wait for the next commit
  std::vector<std::uint16_t> covered_;  // by the commit under way
  std::vector<std::byte> map_buffer_;
  std::vector<std::byte> zeros_;

  SettleStep settle_step_ = SettleStep::idle;
  LayerHeader settle_header_;
  bool wants_merge_ = false;

  HeaderStep header_step_ = HeaderStep::idle;
  LayerHeader wanted_header_;
  std::vector<std::byte> header_buffer_;

  MergeStep merge_step_ = MergeStep::idle;
  SectorExtent window_;
  std::vector<std::byte> window_buffer_;
  std::uint32_t merge_parts_ = 0;
  StoreErrc merge_part_error_ = StoreErrc::ok;
  StoreErrc merge_error_ = StoreErrc::ok;
  std::uint64_t merge_total_sectors_ = 0;
  Instant merge_next_;  // no window begins earlier
  Instant now_;         // of the call that runs
};

}  // namespace aoe::storage
