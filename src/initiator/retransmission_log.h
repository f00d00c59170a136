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
// one had not been lost. Unless it comes much sooner after the first answer than the copies were
// apart: then the network duplicated the answer. Remembers the last tags that were sent again;
// direct mapped, so that a look-up costs the same however many there are, and a newer tag takes the
// place of an older one.
class RetransmissionLog {
 public:
  struct Entry {
    Tag tag{};
    DeviceId device{};
    std::uint32_t path = 0;  // that was taken to have lost it
    Duration age{};          // of the first transmission when the first answer came
    Duration apart{};        // the second transmission from the first
    Instant answered{};      // when the first answer came
  };

  void note(const Entry& entry) { entries_.at(place(entry.tag)) = entry; }

  // A second answer to the tag: what is known of it, if two copies explain it. Once.
  [[nodiscard]] std::optional<Entry> take(Instant now, DeviceId device, Tag tag) {
    std::optional<Entry>& entry = entries_.at(place(tag));
    if (!entry || entry->tag != tag || entry->device != device) {
      return std::nullopt;
    }
    const std::optional<Entry> found = entry;
    entry.reset();
    return now - found->answered < found->apart / 2 ? std::nullopt : found;
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
