// Remembers which changes of state were made by wire lately, to know a copy that comes late.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"
#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aoe::target {

// Config, mask and reserve have no sequences, not even between our own ends: they are plain AoE. A
// copy of a change that is still in force changes nothing and is answered; one that comes after a
// newer change would undo that, and is known here by its sender, its tag and its content.
//
// For one frame life, in a fixed number of places; single thread.
class ChangeHistory {
 public:
  struct Key {
    ExportId export_id;
    MacAddress source;
    Tag tag;
    std::uint8_t command = 0;  // of AoE
    std::uint32_t content_crc = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };

  // Of those that has_room() let pass, at most `pending_max` have not been added yet. Holds eight
  // times as many.
  ChangeHistory(std::size_t pending_max, Duration lifetime);

  // Whether the change was made within the lifetime.
  [[nodiscard]] bool contains(Instant now, const Key& key) const;
  // Whether another change can be remembered: nothing is forgotten early.
  [[nodiscard]] bool has_room(Instant now) const;
  void add(Instant now, const Key& key);

 private:
  struct Entry {
    Key key;
    Instant made;
  };

  [[nodiscard]] bool is_alive(Instant now, const Entry& entry) const;

  std::size_t pending_max_;
  Duration lifetime_;
  std::vector<Entry> entries_;  // a ring, oldest first from next_ on
  std::size_t next_ = 0;
};

}  // namespace aoe::target
