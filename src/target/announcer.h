// Finding and being found: duplicate address detection, advertisements, answers to wildcard
// queries.
#pragma once

#include "base/ring_queue.h"
#include "target/ata_executor.h"
#include "target/core_parts.h"
#include "target/state_keeper.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::target {

// Everything here sends to many or for many, so everything is paced: a wildcard query of 60 bytes
// must not draw thousands of frames at once, nor a link that comes up with thousands of exports.
class Announcer {
 public:
  Announcer(CoreParts& parts, StateKeeper& keeper, AtaExecutor& executor);

  // Listens whether anybody else answers for the address of a new export before it serves.
  void begin_probe(Instant now, Export& subject);
  // Serves at once an address that was ours a moment ago.
  void skip_probe(Export& subject);
  // A config response from another station: an answer to our probe, or another target's
  // advertisement of an address of ours. What is said on a network where the export is not served
  // does not matter.
  void handle_foreign_config(Instant now, PortId port, const protocol::FrameHeader& header);

  // Tells everybody (or, where a mask exists, those on it) about the export on the ports of the
  // mask.
  void advertise(Export& subject, std::uint32_t ports);
  void advertise_all_on(PortId port);

  // A config query or an IDENTIFY for more than one address. Takes the frame: the answers need its
  // argument.
  void handle_wildcard_query(const Arrival& arrival, PacketBuffer frame);

  // Wildcard queries that are being answered.
  [[nodiscard]] std::size_t discoveries() const;

  // It is being removed.
  void forget(Export& subject);
  void handle_timeout(Instant now);
  [[nodiscard]] std::optional<Instant> poll_timeout() const;

 private:
  struct Discovery {
    bool in_use = false;
    PortId port;
    protocol::FrameHeader header;
    PacketBuffer frame;
    std::optional<DeviceAddress> after;  // the last export that was looked at
  };

  // Asks on every port; returns how many frames that took.
  int probe(Instant now, Export& subject);
  void finish_probe(Export& subject);
  void advance_probes(Instant now);
  void send_advertisement(Export& subject, PortId port, const MacAddress& destination);
  void advance_advertisements();
  void advance(Instant now, Discovery& discovery);

  CoreParts& parts_;
  StateKeeper& keeper_;
  AtaExecutor& executor_;
  std::vector<ExportId> probing_;
  RingQueue<ExportId> to_advertise_;
  std::vector<Discovery> discoveries_;
  Instant pace_next_;        // when the next batch of paced frames may go
  Instant probe_pace_next_;  // the same for probes
  bool has_paced_work_ = false;
};

}  // namespace aoe::target
