// One thread's worth of target: ports, stores and the core between them.
#pragma once

#include "base/buffer_pool.h"
#include "net/packet_port.h"
#include "os/link_monitor.h"
#include "runtime/event_loop.h"
#include "storage/block_store.h"
#include "storage/io_engine.h"
#include "target/target_core.h"
#include "targetd/state_directory.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::targetd {

// Turns the core: what ports and stores have goes in, what the core wants done goes out.
//
//   turn:  ports -> handle_frame -> poll_store_ops -> stores -> handle_store_done
//          -> poll_state_save -> worker -> handle_state_saved -> poll_transmit -> ports
//
// Lives on the loop's thread; what is in Parts outlives it.
class Shard {
 public:
  struct Parts {
    runtime::EventLoop& loop;
    // Runs the first function where it may block and then the second on the loop's thread.
    std::function<void(std::function<void()>, std::function<void()>)> run_blocking;
    storage::IoEngine& engine;
    StateDirectory& states;
  };

  // Called for every event of the core, before the shard acts on it. That an export is removed is
  // told when its store has ended its own work, too.
  using EventSink = std::function<void(const target::TargetEvent&)>;

  Shard(const Parts& parts, const target::TargetLimits& limits, std::size_t frame_bytes_max,
        Prng prng, EventSink sink);
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

  // nullptr for a stale id.
  [[nodiscard]] storage::BlockStore* store_of(ExportId id);

  // The store of this export has work of its own now: it is polled until that ends.
  void watch(ExportId id);

  // Frames that come from now on are left to whoever listens next.
  void stop_receiving() { is_receiving_ = false; }

  // No store begins anything of its own any more; is_working() tells when the last has ended.
  void stop_working();
  [[nodiscard]] bool is_working() const;

  // Does everything there is to do now and returns when the next thing is due.
  [[nodiscard]] std::optional<Instant> turn();

 private:
  struct StoreSlot {
    ExportId id;
    std::unique_ptr<storage::BlockStore> store;
    std::uint32_t in_flight = 0;
    bool is_busy = false;  // listed in busy_
  };

  // An export that is gone but for what its store has under way.
  struct Closing {
    target::TargetEvent event;  // of the removal: told when the store may be opened again
    std::unique_ptr<storage::BlockStore> store;
  };

  bool receive(Instant now);
  void drain(Instant now);
  bool submit_store_ops(Instant now);
  bool collect_completions(Instant now);
  void start_state_saves();
  void transmit();
  void take_events();
  void finish_closing(Instant now);
  [[nodiscard]] StoreSlot* find_slot(ExportId id);

  Parts parts_;
  BufferPool pool_;
  target::TargetCore core_;
  EventSink sink_;
  bool is_receiving_ = true;
  std::vector<std::unique_ptr<net::PacketPort>> ports_;
  std::vector<char> port_has_frames_;  // by port; edge-triggered readiness is remembered here
  std::vector<StoreSlot> slots_;       // by the index half of an ExportId
  std::vector<std::uint16_t> busy_;    // slots with operations in flight or work of their own
  std::vector<Closing> closing_;
  std::vector<PacketBuffer> rx_;
  std::vector<target::TxFrame> tx_;
  std::vector<PacketBuffer> tx_batch_;
  std::vector<target::ExportStoreOp> ops_;
  std::vector<StoreOp> op_batch_;
  std::vector<StoreCompletion> completions_;
  std::vector<target::TargetEvent> events_;
};

}  // namespace aoe::targetd
