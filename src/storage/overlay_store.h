// One base for many initiators, each with a layer of its own over it.
#pragma once

#include "base/mac_address.h"
#include "storage/block_store.h"
#include "storage/completion_queue.h"
#include "storage/layered_store.h"
#include "storage/lower_store.h"
#include "storage/shared_store.h"
#include "storage/slot_table.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::storage {

enum class OverlayPhase : std::uint8_t {
  expected,  // there is a layer, which nobody has asked for yet
  wanted,    // somebody has to make or open it; operations wait
  open,      // it takes the initiator's writes
  closing,   // what is under way ends; operations wait
  closed,    // operations wait for put() or forget()
  refused,   // it cannot be used: every operation of the initiator fails
};

struct OverlayStatus {
  OverlayPhase phase = OverlayPhase::expected;
  std::uint64_t layer_sectors = 0;   // once it is open
  StoreErrc error = StoreErrc::ok;   // of a layer that cannot be used, or lost what it had
  bool is_full = false;              // a write found no room
  std::optional<Instant> last_used;  // none: not since the start
};

// Which layer counts is said by StoreOp::initiator. An initiator without a layer reads the base;
// its first write asks for one and waits until it is there. Nothing is ever written to the base,
// except by commit.
//
// Files are somebody else's business (targetd/overlays.h): he asks next_wanted() after every turn,
// makes or opens the layer where that may block, and answers with put() or refuse().
//
// Single thread. May only be destroyed while operations are in flight when the engine below has
// been drained.
class OverlayStore final : public BlockStore {
 public:
  // Operations of one initiator that its layer is given at once.
  static constexpr std::uint32_t kPerInitiator = 64;

  OverlayStore(std::unique_ptr<BlockStore> base, std::uint32_t in_flight_max);

  [[nodiscard]] std::string describe() const override;

  [[nodiscard]] const StoreInfo& info() const override { return info_; }

  [[nodiscard]] StoreStats stats() const override { return stats_; }

  void submit(Instant now, std::span<const StoreOp> ops) override;
  [[nodiscard]] std::size_t poll_completions(Instant now, std::span<StoreCompletion> out) override;
  [[nodiscard]] std::optional<Instant> poll_timeout() const override;
  [[nodiscard]] bool is_working() const override;

  [[nodiscard]] bool wants_help() const override { return !wanted_.empty() || is_held_; }

  void stop_working() override;

  // The size of the base when it was opened: layers were made for it.
  Result<std::uint64_t> refresh() override { return info_.size_bytes; }

  // ---- layers come and go

  // There is a layer of this initiator, as yet unopened.
  void expect(const MacAddress& initiator);

  struct Wanted {
    MacAddress initiator;
    bool is_new = false;  // there is none yet
  };

  // The next layer that has to be made or opened; each is handed out once.
  [[nodiscard]] std::optional<Wanted> next_wanted();
  // The layer that was wanted, or of a closed one a new one.
  void put(const MacAddress& initiator, OpenedLayer layer);
  // It cannot be had. A new one: the writes that wait for it fail, and the next write asks again.
  // One that is there: everything of the initiator fails, until forget().
  void refuse(const MacAddress& initiator, StoreErrc status);
  // Begins to take an open layer off; closed when status() says so, at once if it was not open.
  void close(const MacAddress& initiator);
  // There is no layer any more, closed or refused as it was: the initiator is at the base again.
  void forget(const MacAddress& initiator);

  // Nothing for an initiator without a layer.
  [[nodiscard]] std::optional<OverlayStatus> status(const MacAddress& initiator) const;
  [[nodiscard]] std::vector<MacAddress> initiators() const;

  // ---- commit: a layer goes into the base while everybody waits

  // From now on operations wait.
  void hold() { is_held_ = true; }

  // Nothing is under way.
  [[nodiscard]] bool is_quiet() const;

  // Held and quiet: moves this store, a layer of ours over the writable base, until it is taken
  // back.
  void begin_commit(std::unique_ptr<LayeredStore> committer) { committer_ = std::move(committer); }

  [[nodiscard]] LayeredStore* committer() { return committer_.get(); }

  [[nodiscard]] std::unique_ptr<LayeredStore> end_commit() { return std::move(committer_); }

  // What has waited goes on.
  void resume();

 private:
  struct Slot {
    OverlayPhase phase = OverlayPhase::expected;
    bool is_new = false;   // of a wanted one
    bool is_busy = false;  // listed in busy_
    bool is_full = false;
    StoreErrc error = StoreErrc::ok;
    std::optional<Instant> last_used;
    std::unique_ptr<LayeredStore> layered;
    std::unique_ptr<LowerStore> lower;  // over it
    std::deque<SlotHandle> waiting;
  };

  void begin(SlotHandle handle);
  void begin_in(Slot& slot, SlotHandle handle);
  void complete(SlotHandle handle, StoreErrc status, std::uint64_t error_offset_bytes);
  void take(Slot* slot, const LowerDone& done);
  void restart(std::deque<SlotHandle>& waiting);
  void mark_busy(Slot& slot);
  // True if something moved.
  bool move(Slot& slot);

  StoreInfo info_;
  StoreStats stats_;
  std::shared_ptr<SharedStore> shared_;
  std::unique_ptr<BlockStore> base_port_;
  LowerStore base_;  // for those without a layer
  SlotTable<StoreOp> records_;
  CompletionQueue done_;
  std::map<MacAddress, Slot> slots_;
  std::vector<Slot*> busy_;  // with work in their layers
  std::deque<MacAddress> wanted_;
  std::deque<SlotHandle> held_;
  std::vector<LowerDone> finished_;
  std::unique_ptr<LayeredStore> committer_;
  bool is_held_ = false;
  Instant now_;  // of the call that runs
};

}  // namespace aoe::storage
