// One thread's worth of target: ports, stores and the core between them.
#pragma once

#include "base/buffer_pool.h"
#include "base/fixed_array.h"
#include "base/prefetch.h"
#include "net/packet_port.h"
#include "runtime/event_loop.h"
#include "storage/block_store.h"
#include "storage/io_engine.h"
#include "target/event_log.h"
#include "target/target_core.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::targetd {

// Turns the core: what ports and stores have goes in, what the core wants done goes out.
//
//   turn:  ports -> handle_frame -> poll_store_ops -> stores -> handle_store_done
//          -> poll_transmit -> ports
//
// What is for the rest of the daemon waits until it asks: events and states to save.
//
// Whoever turns it owns it and everything in it: one thread at a time (shard_thread.h). What is in
// Parts outlives it. It begins in a cache line of its own, so that another shard has no part in it.
class alignas(kCacheLineBytes) Shard {
 public:
  struct Parts {
    runtime::EventLoop& loop;
    storage::IoEngine& engine;
  };

  Shard(const Parts& parts, const target::TargetLimits& limits, std::size_t frame_bytes_max,
        Prng prng);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // Ports are added before the first turn and never removed; the index is the port's id.
  [[nodiscard]] Result<PortId> add_port(std::unique_ptr<net::PacketPort> port);

  [[nodiscard]] const std::vector<std::unique_ptr<net::PacketPort>>& ports() const {
    return ports_;
  }

  // Link events arrived: looks at every port again.
  void refresh_ports();

  // The store goes when the export has gone.
  [[nodiscard]] Result<ExportId> add_export(const target::ExportSettings& settings,
                                            target::PersistentState state,
                                            std::unique_ptr<storage::BlockStore> store);

  [[nodiscard]] target::TargetCore& core() { return core_; }

  [[nodiscard]] const target::TargetCore& core() const { return core_; }

  // nullptr for a stale id.
  [[nodiscard]] storage::BlockStore* store_of(ExportId id);

  // The store of this export has work of its own now: it is polled until that ends, and has news
  // meanwhile.
  void watch(ExportId id);

  // Frames that come from now on are left to whoever listens next.
  void stop_receiving() { is_receiving_ = false; }

  // No store begins anything of its own any more; is_working() tells when the last has ended.
  void stop_working();
  [[nodiscard]] bool is_working() const;

  // Does what there is to do now, a burst of frames at most, and returns when the next thing is
  // due.
  [[nodiscard]] std::optional<Instant> turn();

  // Whether the rest of the daemon should look: events or states wait, or a store has done
  // something for who keeps volumes over it, or wants something of him. Stays so until seen_news().
  [[nodiscard]] bool has_news() const;

  void seen_news() { has_moved_volumes_ = false; }

  // The next event of the core. That an export is removed is told when its store has ended its own
  // work, too.
  [[nodiscard]] std::optional<target::TargetEvent> next_event();

  // Events that nobody asked for in time.
  [[nodiscard]] std::uint64_t events_lost() const { return events_.lost(); }

  // The next state to put on stable storage, answered with core().handle_state_saved().
  [[nodiscard]] std::optional<target::StateSave> next_state_save();
  [[nodiscard]] bool has_state_save();

 private:
  struct StoreSlot {
    ExportId id;
    std::unique_ptr<storage::BlockStore> store;
    const storage::Prefetcher* prefetcher = nullptr;  // the store's, if it has one
    std::uint32_t in_flight = 0;
    bool is_busy = false;     // listed in busy_
    bool is_watched = false;  // by who keeps volumes, until it has no more work of its own
  };

  // An export that is gone but for what its store has under way.
  struct Closing {
    target::TargetEvent event;  // of the removal: told when the store may be opened again
    std::unique_ptr<storage::BlockStore> store;
  };

  bool receive(Instant now);
  bool serve(Instant now);
  enum class PrefetchStep : std::uint8_t { place, store, way, data };

  void take_store_ops();
  void prefetch(const target::ExportStoreOp& op, PrefetchStep step) const;
  void finish_prefetch() const;
  bool submit_store_ops(Instant now);
  bool collect_completions(Instant now);
  void fetch_state_save();
  void transmit(Instant now);
  void handle_standstill();
  void time_waiting_frames();
  void take_events();
  void finish_closing(Instant now);
  void close_store(const target::TargetEvent& removal);
  [[nodiscard]] StoreSlot* find_slot(ExportId id);

  Parts parts_;
  Instant last_turn_;
  BufferPool pool_;
  target::TargetCore core_;
  bool is_receiving_ = true;
  std::vector<std::unique_ptr<net::PacketPort>> ports_;
  std::vector<char> port_has_frames_;  // by port; edge-triggered readiness is remembered here
  FixedArray<StoreSlot> slots_;        // by the index half of an ExportId
  std::vector<std::uint16_t> busy_;    // slots with operations in flight or work of their own
  std::vector<Closing> closing_;
  FixedArray<PacketBuffer> rx_;
  FixedArray<target::TxFrame> tx_;
  FixedArray<PacketBuffer> tx_batch_;
  FixedArray<target::ExportStoreOp> ops_;
  std::size_t ops_taken_ = 0;  // of ops_, not submitted yet
  FixedArray<StoreOp> op_batch_;
  FixedArray<StoreCompletion> completions_;
  FixedArray<target::TargetEvent> event_batch_;  // looked at often: not made anew each time
  target::EventLog events_;
  bool has_moved_volumes_ = false;
  std::optional<target::StateSave> save_;  // the next one; more wait in the core
};

}  // namespace aoe::targetd
