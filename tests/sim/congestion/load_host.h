// A host that keeps its disks busy, whatever its driver is.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "sim/congestion/frame_ledger.h"
#include "sim/congestion/load_pattern.h"
#include "sim/world/link.h"
#include "sim/world/world.h"

#include <cstdint>
#include <span>
#include <vector>

namespace aoe::sim {

struct LoadOptions {
  std::uint16_t shelf = 7;
  std::uint8_t slots = 3;
  std::uint8_t ports = 2;
  std::size_t mtu_bytes = 1500;
  std::uint32_t depth = 64;  // requests of each disk at a time
  LoadPattern::Shape pattern{};
};

// Cables, timer, the load of each disk and the ledger's entries; the driver behind it is the
// subclass's.
class LoadHost : public LinkEnd, public EventHandler {
 public:
  LoadHost(World& world, FrameLedger& ledger, std::uint16_t number, const LoadOptions& options);

  // The cables of its ports, in order.
  void attach(std::vector<LinkDirection*> outputs) { outputs_ = std::move(outputs); }

  // It looks for its disks at `start`, and keeps them busy from `load` on.
  void start(Instant start, Instant load) {
    world_.events().schedule(start, *this, kStart, 0);
    world_.events().schedule(load, *this, kLoad, 0);
  }

  [[nodiscard]] std::uint16_t number() const { return number_; }

  void handle_arrival(Instant now, std::uint16_t port, PacketBuffer frame) final;

  void handle_carrier(Instant /*now*/, std::uint16_t /*port*/, bool /*up*/) override {}

  void handle_event(Instant now, std::uint32_t what, std::uint64_t value) final;

 protected:
  virtual void begin(Instant now) = 0;
  virtual void receive(Instant now, PortId port, PacketBuffer frame) = 0;
  // Time passes: timers, completions, new requests, transmission. Returns when it wants to run
  // again.
  [[nodiscard]] virtual Instant run(Instant now) = 0;

  void send(Instant now, PortId port, ConstByteSpan frame);

  // A request of one frame ended; asks for the next one of its disk.
  void note_answered(Instant now, std::uint8_t slot, Lba lba);

  [[nodiscard]] Lba next_place(std::uint8_t slot) { return patterns_[slot].next(); }

  [[nodiscard]] const LoadOptions& options() const { return options_; }

  [[nodiscard]] bool is_loaded() const { return is_loaded_; }

  [[nodiscard]] World& world() { return world_; }

 private:
  static constexpr std::uint32_t kStart = 0;
  static constexpr std::uint32_t kTimer = 1;
  static constexpr std::uint32_t kLoad = 2;

  void run_and_rest(Instant now);

  World& world_;
  FrameLedger& ledger_;
  std::uint16_t number_;
  LoadOptions options_;
  std::vector<LinkDirection*> outputs_;
  std::vector<LoadPattern> patterns_;  // by slot
  bool has_started_ = false;
  bool is_loaded_ = false;
  Instant wake_at_{};  // of the earliest event that is scheduled and not over
};

}  // namespace aoe::sim
