// A store of which snapshots are taken while it is written to.
#pragma once

#include "storage/block_store.h"
#include "storage/completion_queue.h"
#include "storage/layered_store.h"
#include "storage/lower_store.h"
#include "storage/shared_store.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::storage {

// A chain of layers over one base:
//
//     base            as it was at the oldest snapshot
//     + layer         as it was at the second
//     + layer .. + layer   the store as it is now
//
// All writes go into the newest layer; a snapshot is what lies below one. A snapshot goes by
// merging the layer above it downwards, while everything is served.
//
// Files are somebody else's business (targetd/snapshots.h). Single thread. May only be destroyed
// while operations are in flight when the engine below has been drained.
class SnapshotStore final : public BlockStore {
 public:
  // Operations that a layer is given at once.
  static constexpr std::uint32_t kPerLayer = 64;

  SnapshotStore(std::unique_ptr<BlockStore> base, std::uint32_t in_flight_max);

  [[nodiscard]] std::string describe() const override;

  [[nodiscard]] const StoreInfo& info() const override { return info_; }

  [[nodiscard]] StoreStats stats() const override { return port_->stats(); }

  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;
  [[nodiscard]] std::optional<Instant> poll_timeout() const override;
  [[nodiscard]] bool is_working() const override;

  [[nodiscard]] bool wants_help() const override { return is_held_; }

  void stop_working() override;
  // The size stays what it is while there are layers.
  Result<std::uint64_t> refresh() override;
  std::uint64_t look_at_size() override;

  // ---- at the start, oldest first, before anything else is asked of the store

  void put(OpenedLayer layer);

  // ---- snapshots are taken

  // From now on operations wait; is_quiet() when those under way have ended. What was acknowledged
  // is what a copy of the base, made and flushed now, has.
  void hold() { is_held_ = true; }

  [[nodiscard]] bool is_quiet() const { return live_.submitted() == 0; }

  void resume() { is_held_ = false; }

  // What was acknowledged before is in the snapshot, and stable; what comes later goes into the
  // layer, whose state is `preparing`. Ends when is_taking() says so.
  void take(OpenedLayer layer);

  [[nodiscard]] bool is_taking() const { return is_taking_; }

  // Why the last take() came to nothing, if it did: there is no new snapshot then.
  [[nodiscard]] std::optional<StoreErrc> take_error() const { return take_error_; }

  // ---- snapshots there are: 0 is the oldest

  [[nodiscard]] std::size_t snapshots() const { return levels_.size() - 1; }

  // A read-only store of the snapshot's content. May outlive this one.
  [[nodiscard]] std::unique_ptr<BlockStore> open_view(std::size_t snapshot);

  // Of the layer above it.
  [[nodiscard]] LayerStatus status(std::size_t snapshot) const;
  [[nodiscard]] const LayerHeader& header(std::size_t snapshot) const;

  // The snapshot begins to go. Its views have been closed; one at a time.
  void remove(std::size_t snapshot);
  // Tries again at once, and so on: of a merge under way.
  void set_merge_rate(std::uint64_t bytes_per_second);
  // The layer of a snapshot that has gone, each once: its file may be removed.
  [[nodiscard]] std::optional<LayerId> next_gone();

 private:
  struct Level {
    std::shared_ptr<SharedStore> hub;
    LayeredStore* layered = nullptr;  // in `hub`; null: the base
    // Set when the layer's room ended: what lies below it changes.
    std::shared_ptr<bool> is_lost = std::make_shared<bool>(false);
    bool is_merged = false;  // the layer has gone, and the level goes as soon as it is quiet
  };

  class View;

  void push_level(OpenedLayer layer);
  void pop_level();
  void reopen_live();
  bool step_take();
  bool step_levels();

  StoreInfo info_;
  std::uint64_t merge_bytes_per_second_ = 0;
  std::vector<Level> levels_;
  std::unique_ptr<BlockStore> port_;  // on the topmost level
  LowerStore live_;
  CompletionQueue done_;
  std::vector<LowerDone> finished_;
  std::vector<StoreTag> tags_;
  std::vector<std::uint16_t> free_;
  std::optional<OpenedLayer> wanted_;
  std::vector<LayerId> gone_;
  std::optional<StoreErrc> take_error_;
  bool is_held_ = false;
  bool is_taking_ = false;
};

}  // namespace aoe::storage
