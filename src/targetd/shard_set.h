// All shards of a daemon: which of them serves an address, and who turns them.
#pragma once

#include "base/ids.h"
#include "base/prng.h"
#include "base/result.h"
#include "net/af_packet_port.h"
#include "net/packet_port.h"
#include "os/event_fd.h"
#include "runtime/event_loop.h"
#include "storage/io_engine.h"
#include "target/target_types.h"
#include "targetd/shard.h"
#include "targetd/shard_thread.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::targetd {

// An export is served by one shard, told by its address (net::share_of), and shards have nothing in
// common: each has its ports, whose sockets let through the frames of its exports, its stores and
// its engine.
//
// One shard is turned by the daemon's own loop. Several have a thread each, and the daemon owns
// them all but while it sleeps: everything here, and everything in a shard, may be used from the
// callbacks of its loop and between its turns, as if there were no threads.
class ShardSet {
 public:
  struct Options {
    std::uint16_t count = 1;  // 1..kShardsMax
    runtime::EventLoop::Options polling;
    PortKind port = PortKind::automatic;
    std::vector<std::string> interfaces;
    target::TargetLimits limits;  // of all shards together where it is a rate
    std::size_t frame_bytes_min = 0;
  };

  // Opens the ports, which takes privileges. `loop` is the daemon's and outlives this. Errors: of
  // net::open_port and of storage::open_io_engine.
  [[nodiscard]] static Result<std::unique_ptr<ShardSet>> open(runtime::EventLoop& loop,
                                                              const Options& options, Prng& prng);

  ShardSet(const ShardSet&) = delete;
  ShardSet& operator=(const ShardSet&) = delete;
  ~ShardSet();

  // Makes the threads, where there are several shards: they have the privileges that the caller
  // has.
  [[nodiscard]] Result<void> start();

  // One shard: its turn; returns when the next thing is due. Several: nothing, they turn
  // themselves.
  [[nodiscard]] std::optional<Instant> turn();

  [[nodiscard]] std::size_t size() const { return places_.size(); }

  [[nodiscard]] Shard& at(std::size_t index) { return *places_[index].shard; }

  [[nodiscard]] const Shard& at(std::size_t index) const { return *places_[index].shard; }

  [[nodiscard]] Shard& of(DeviceAddress address) { return at(index_of(address)); }

  // Whether exports of both addresses are served by one shard, and so may share a store.
  [[nodiscard]] bool is_together(DeviceAddress one, DeviceAddress other) const {
    return index_of(one) == index_of(other);
  }

  // For stores of an export with this address.
  [[nodiscard]] storage::IoEngine& engine_of(DeviceAddress address) {
    return *places_[index_of(address)].engine;
  }

  // Of the first shard; those of the others have the same names and state.
  [[nodiscard]] const std::vector<std::unique_ptr<net::PacketPort>>& ports() const {
    return at(0).ports();
  }

  // Of all shards, by address. Valid until one is added or removed.
  [[nodiscard]] std::vector<const target::Export*> exports() const;

  // Why io_uring is not used; empty when it is.
  [[nodiscard]] const std::string& engine_fallback() const { return engine_fallback_; }

  void refresh_ports();
  void stop_receiving();
  void stop_working();
  [[nodiscard]] bool is_working() const;
  [[nodiscard]] std::uint32_t requests_in_flight() const;
  [[nodiscard]] bool has_state_saves();

  // Waits for operations that are still in flight, and ends the threads: nothing turns any more.
  // False when some have not ended by then (a backend hangs): closing would wait for ever, and so
  // would a thread that began them, in the kernel, when it ends. The process has to end, then.
  [[nodiscard]] bool finish(Duration timeout);

 private:
  struct Place {
    std::unique_ptr<runtime::EventLoop> own_loop;  // null: the daemon's
    std::unique_ptr<storage::IoEngine> engine;
    std::unique_ptr<Shard> shard;
    std::unique_ptr<ShardThread> thread;
  };

  ShardSet(runtime::EventLoop& loop, const Options& options, os::EventFd news);
  [[nodiscard]] Result<void> add_place(std::uint16_t index, Prng& prng);
  [[nodiscard]] std::size_t index_of(DeviceAddress address) const;
  void take_all();
  void give_back_all();

  runtime::EventLoop& loop_;
  Options options_;
  os::EventFd news_;
  std::string engine_fallback_;
  std::vector<Place> places_;
  bool has_threads_ = false;
};

}  // namespace aoe::targetd
