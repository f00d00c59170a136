// What a target that stops in good order leaves for the one that starts in its place.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "base/result.h"
#include "target/duplicate_filter.h"
#include "target/tag_clock.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace aoe::target {

// Of one export that has no request in flight. With it the successor is the same target for
// everybody: sessions go on, copies of what was executed are known, and writes that come late are
// recognised. It is true for the machine's present start only (a power cut loses what was
// acknowledged in caches), and only once: a target that served since then knows better.
struct Handover {
  struct Session {
    std::uint32_t id = 0;  // on the wire, not 0
    std::uint64_t initiator_instance = 0;
    std::uint16_t capabilities = 0;
    std::uint32_t frame_life_ms = 0;
    MacAddress last_source;
    std::uint32_t low = 1;
    std::vector<DuplicateFilter::Remembered> answers;  // from low on
  };

  // An address of a Linux host; those of one host share its number.
  struct Host {
    MacAddress mac;
    std::uint32_t number = 0;
    TagClock::Learned clock;
  };

  // A write of that host, or what newer ones left of it.
  struct Stamp {
    std::uint32_t host = 0;
    Lba lba;
    std::uint32_t sectors = 0;
    Tag stamp;
  };

  std::uint64_t target_instance = 0;
  bool is_online = true;
  bool is_write_cache_off = false;  // of an export that has one: an initiator switched it off
  std::vector<Session> sessions;
  std::vector<Host> hosts;
  std::vector<Stamp> stamps;
};

// A blob (blob.h) with the magic "aoehando". The address is part of it.
[[nodiscard]] std::vector<std::byte> encode_handover(DeviceAddress address,
                                                     const Handover& handover);

// As read_blob().
[[nodiscard]] Result<Handover> decode_handover(DeviceAddress address, ConstByteSpan bytes);

}  // namespace aoe::target
