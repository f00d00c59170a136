// One store under several others: each has a port of its own and hears of its own operations only.
#pragma once

#include "storage/block_store.h"
#include "storage/completion_queue.h"
#include "storage/lower_store.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::storage {

// Operations of all ports together may be more than the store takes at once: the rest waits here,
// first come, first served. Ports keep it alive. A port may be destroyed while operations of its
// own are in flight when the engine below has been drained (their completions are swallowed).
//
// Whoever polls a port moves the work of all; a port's completions wait until it is polled itself.
class SharedStore : public std::enable_shared_from_this<SharedStore> {
 public:
  static constexpr std::size_t kPortsMax = 0xFFFF;

  [[nodiscard]] static std::shared_ptr<SharedStore> make(std::unique_ptr<BlockStore> store);
  ~SharedStore() = default;
  SharedStore(const SharedStore&) = delete;
  SharedStore& operator=(const SharedStore&) = delete;

  // A store that is this one, with so many operations in flight at most: 1..4096. At most kPortsMax
  // at once.
  [[nodiscard]] std::unique_ptr<BlockStore> open_port(std::uint32_t in_flight_max);

  // From now on operations wait here; is_quiet() when those under way have ended.
  void hold() { is_held_ = true; }

  [[nodiscard]] bool is_quiet() const { return lower_.submitted() == 0; }

  // Takes the ports of another one, which is held and quiet, with all that waits in it: they are
  // ports of this one from now on.
  void absorb(SharedStore& other);

  [[nodiscard]] BlockStore& store() { return lower_.store(); }

  [[nodiscard]] const BlockStore& store() const { return lower_.store(); }

 private:
  class Port;

  struct Place {
    Port* port = nullptr;
    bool is_taken = false;  // by a port, or for ever by operations of one that has gone
  };

  explicit SharedStore(std::unique_ptr<BlockStore> store);
  [[nodiscard]] std::uint16_t place_for(Port& port);
  void move(Instant now);

  LowerStore lower_;
  std::vector<Place> ports_;
  std::vector<LowerDone> finished_;
  bool is_held_ = false;
};

}  // namespace aoe::storage
