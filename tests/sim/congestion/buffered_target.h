// A plain target with spinning disks and room for so many frames: the shelf of the collapse.
#pragma once

#include "base/bytes.h"
#include "base/prng.h"
#include "protocol/aoe_frame.h"
#include "sim/congestion/frame_ledger.h"
#include "sim/world/link.h"
#include "sim/world/sim_disk.h"
#include "sim/world/world.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace aoe::sim {

// Holds `buffers` frames for all its slots and ports together, waiting or being served, and drops
// what comes beyond, silently, as the receive buffer of a socket does. Each slot has a disk of its
// own. Knows no duplicates: every copy of a request is carried out.
class BufferedTarget final : public LinkEnd, public DiskUser {
 public:
  struct Options {
    std::uint16_t shelf = 7;
    std::uint8_t slots = 3;
    std::uint8_t ports = 2;
    std::uint16_t buffers = 64;
    std::uint8_t sectors_max = 2;  // of one frame
    DiskOptions disk{};
    std::uint32_t request_loss_ppm = 0;  // by chance, in front of the buffer
    std::uint32_t answer_loss_ppm = 0;
  };

  BufferedTarget(World& world, FrameLedger& ledger, const Options& options);

  // The cables of its ports, in order.
  void attach(std::vector<LinkDirection*> outputs) { outputs_ = std::move(outputs); }

  void handle_arrival(Instant now, std::uint16_t port, PacketBuffer frame) override;

  void handle_carrier(Instant /*now*/, std::uint16_t /*port*/, bool /*up*/) override {}

  void handle_disk_done(Instant now, std::uint32_t disk, const StoreCompletion& done) override;

  struct Counters {
    std::uint64_t overflowed = 0;
    std::uint64_t lost = 0;  // by chance
    std::uint32_t held_max = 0;
  };

  [[nodiscard]] const Counters& counters() const { return counters_; }

  [[nodiscard]] std::uint32_t held() const { return held_; }

 private:
  struct Held {
    protocol::FrameHeader header{};
    std::uint16_t port = 0;
    bool is_read = true;
    Lba lba{};
    std::vector<std::byte> data;
  };

  [[nodiscard]] bool chance(std::uint32_t ppm) { return ppm != 0 && random_.chance(ppm, 1000000); }

  void answer_config(Instant now, std::uint16_t port, const protocol::FrameHeader& header);
  void answer_identify(Instant now, std::uint16_t port, const protocol::FrameHeader& header);
  // What it does not know, as our extension.
  void refuse(Instant now, std::uint16_t port, const protocol::FrameHeader& header);
  void take(Instant now, std::uint16_t port, const protocol::FrameHeader& header,
            ConstByteSpan frame);
  void reply(Instant now, std::uint16_t port, ConstByteSpan frame);

  World& world_;
  FrameLedger& ledger_;
  Options options_;
  Prng random_;
  std::vector<LinkDirection*> outputs_;
  std::vector<std::unique_ptr<SimDisk>> disks_;
  std::vector<Held> frames_;  // by the tag of the disk operation
  std::vector<std::uint32_t> free_;
  std::uint32_t held_ = 0;
  Counters counters_;
};

}  // namespace aoe::sim
