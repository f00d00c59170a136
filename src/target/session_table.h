// The sessions that initiators of our own kind have with our exports.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/prng.h"
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace aoe::target {

struct Session {
  std::uint32_t id = 0;  // on the wire; 0 = the place is free
  ExportId export_id;
  std::uint64_t initiator_instance = 0;
  std::uint16_t capabilities = 0;   // granted
  std::uint32_t frame_life_ms = 0;  // as the initiator has it
  Instant last_used;
  MacAddress last_source;  // of its newest hello or frame
  PortId last_port;
  std::uint64_t requests = 0;    // sealed requests that were taken
  std::uint64_t duplicates = 0;  // copies of what was executing or done
};

// One session for each pair of initiator instance and export, in a fixed number of places. Ids are
// drawn at random, so that an id of a session that is gone, or of an earlier target, names no new
// one. Single thread.
class SessionTable {
 public:
  static constexpr std::uint16_t kNone = 0xFFFF;

  explicit SessionTable(std::uint16_t sessions_max);

  // kNone when there is no such session.
  [[nodiscard]] std::uint16_t find(std::uint32_t id) const;
  [[nodiscard]] std::uint16_t find(std::uint64_t initiator_instance, ExportId export_id) const;

  // A place for a new session with a new id, everything else unset: a free one, or that of the
  // session idle longest that `is_busy` lets go; kNone when it lets none go.
  [[nodiscard]] std::uint16_t make(Instant now, Prng& prng,
                                   const std::function<bool(std::uint16_t)>& is_busy);
  // The same with the id of an earlier target, in a free place; kNone: there is none, or the id is
  // taken.
  [[nodiscard]] std::uint16_t restore(Instant now, std::uint32_t id);
  void remove(std::uint16_t index);
  void remove_all_of(ExportId export_id);

  [[nodiscard]] Session& at(std::uint16_t index) { return sessions_[index]; }

  // Free places included.
  [[nodiscard]] std::span<const Session> all() const { return sessions_; }

 private:
  static constexpr std::uint16_t kNil = 0xFFFF;

  void name(std::uint16_t index, Instant now, std::uint32_t id);

  [[nodiscard]] std::size_t bucket_of(std::uint32_t id) const { return id & (buckets_.size() - 1); }

  std::vector<Session> sessions_;
  std::vector<std::uint16_t> buckets_;  // first of the sessions whose ids share a bucket
  std::vector<std::uint16_t> next_;     // the next of them, by session
};

}  // namespace aoe::target
