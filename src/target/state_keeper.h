// The state that initiators set by wire: config string, mask and reservation; and its way to disk.
#pragma once

#include "protocol/aoe_config.h"
#include "protocol/aoe_mac_lists.h"
#include "target/access_list.h"
#include "target/ata_executor.h"
#include "target/change_history.h"
#include "target/core_parts.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace aoe::target {

// A change is answered when it is on stable storage, and takes effect then: what an initiator was
// told is true after a power cut. One change an export is on its way at a time; others are dropped
// and asked again by their initiators. A change that changes nothing (a copy of one whose answer
// was lost, say) is answered at once; a copy that would undo a newer change is dropped.
class StateKeeper {
 public:
  StateKeeper(CoreParts& parts, AtaExecutor& executor);

  void handle_config(const Arrival& arrival, Export& subject);
  void handle_mask(const Arrival& arrival, Export& subject);
  void handle_reserve(const Arrival& arrival, Export& subject);

  // Writes identity and life counters even though nobody changed anything by wire (new export, now
  // and then, at the end). False when another change is on its way or the table is full.
  bool save_now(Instant now, Export& subject);

  // The same as soon as there is room: the serial number is a promise from the first IDENTIFY on.
  void save_soon(const Export& subject) { to_save_.push_back(subject.id); }

  // Whether the state of that generation is on disk. Stale answers are ignored.
  enum class Saved : bool { no, yes };
  void handle_state_saved(Instant now, Export& subject, std::uint64_t generation, Saved saved);
  // Answers reservation changes whose last foreign write has finished.
  void handle_writes_finished(Instant now, Export& subject);
  // It is being removed.
  void forget(const Export& subject);

  [[nodiscard]] std::optional<StateSave> poll_state_save();

  // Changes that are on their way.
  [[nodiscard]] std::size_t changes() const;

  // The answer to a config query from `arrival` on its port.
  void send_config(const Arrival& arrival, const Export& subject, std::uint8_t command,
                   protocol::AoeError error);
  // Writes such an answer's argument; returns the frame's length.
  [[nodiscard]] std::size_t build_config_reply(ByteSpan frame, PortId port, const Export& subject,
                                               std::uint8_t command) const;

 private:
  enum class Kind : std::uint8_t { none, counters, config, mask, reservation };
  enum class Phase : std::uint8_t { to_save, saving, draining };

  struct Change {
    Kind kind = Kind::none;
    Phase phase = Phase::to_save;
    ExportId export_id;
    PersistentState next;
    PortId port;
    protocol::FrameHeader header;
    std::uint8_t command = 0;  // the sub-command, echoed in the reply
    ChangeHistory::Key key;
    MaskEdit mask_edit;
  };

  // Whether a change of the export, which is about to begin, comes from a copy that came too late.
  [[nodiscard]] bool is_late_copy(Instant now, const ChangeHistory::Key& key);
  // Starts the saves of new exports that there is room for.
  void begin_due_saves();
  [[nodiscard]] Change* begin(const Export& subject, Kind kind);
  void queue_change(const Arrival& arrival, Export& subject, Change& change, std::uint8_t command);
  [[nodiscard]] Change* find(const Export& subject);
  void commit(Instant now, Export& subject, Change& change);
  void refuse(Instant now, const Export& subject, const Change& change);
  void refuse_admin(const Arrival& arrival, const Export& subject);
  void send_mask(Instant now, PortId port, const protocol::FrameHeader& request,
                 const Export& subject, const protocol::MaskReply& reply);
  void send_reserve(Instant now, PortId port, const protocol::FrameHeader& request,
                    const Export& subject, std::uint8_t command, protocol::AoeError error);
  void send_bad_argument(const Arrival& arrival, Export& subject);
  [[nodiscard]] std::size_t smallest_mtu(const Export& subject) const;

  CoreParts& parts_;
  AtaExecutor& executor_;
  ChangeHistory history_;
  std::vector<Change> changes_;
  std::uint32_t unsaved_ = 0;      // of those, in Phase::to_save
  std::vector<ExportId> to_save_;  // new exports whose identity is not on its way to disk yet
};

}  // namespace aoe::target
