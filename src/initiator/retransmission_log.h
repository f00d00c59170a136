// Frames that were sent more than once and answered: was it needed?
#pragma once

#include "base/ids.h"
#include "base/time.h"
#include "initiator/io_request.h"

#include <array>
#include <cstdint>
#include <optional>

namespace aoe::initiator {

// All copies of a frame carry one tag, so a second answer says that two copies arrived: the first
// one had not been lost. Remembers the last tags that were sent again; direct mapped, so that a
// look-up costs the same however many there are, and a newer tag takes the place of an older one.
class RetransmissionLog {
 public:
  struct Entry {
    Tag tag{};
    DeviceId device{};
    std::uint32_t path = 0;  // that was taken to have lost it
    Duration age{};          // of the first transmission when the first answer came
  };

  void note(const Entry& entry) { entries_.at(place(entry.tag)) = entry; }

  // A second answer to the tag: what is known of it. Once.
  [[nodiscard]] std::optional<Entry> take(DeviceId device, Tag tag) {
    std::optional<Entry>& entry = entries_.at(place(tag));
    if (!entry || entry->tag != tag || entry->device != device) {
      return std::nullopt;
    }
    const std::optional<Entry> found = entry;
    entry.reset();
    return found;
  }

  // The device was closed: its number may come to mean another one.
  void forget(DeviceId device) {
    for (std::optional<Entry>& entry : entries_) {
      if (entry && entry->device == device) {
        entry.reset();
      }
    }
  }

 private:
  static constexpr std::size_t kEntries = 256;

  [[nodiscard]] static std::size_t place(Tag tag) { return tag.value % kEntries; }

  std::array<std::optional<Entry>, kEntries> entries_{};
};

}  // namespace aoe::initiator
