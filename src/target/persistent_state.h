// What an export remembers over restarts: identity, config string, mask, reservation, life
// counters, self-tests.
//
// One blob an export, written whole and read whole. The edge stores it atomically; this module
// makes and checks the bytes.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/mac_address.h"
#include "base/result.h"
#include "protocol/ata_smart.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aoe::target {

struct LifeCounters {
  std::uint64_t starts = 0;
  std::uint64_t powered_on_seconds = 0;
  std::uint64_t sectors_read = 0;
  std::uint64_t sectors_written = 0;
  std::uint64_t read_errors = 0;
  std::uint64_t write_errors = 0;
  std::uint64_t crc_errors = 0;  // frames of sessions with a wrong checksum
  friend bool operator==(const LifeCounters&, const LifeCounters&) = default;
};

struct PersistentState {
  std::uint64_t identity = 0;    // random, made once for an export; serial and WWN come from it
  std::uint64_t generation = 0;  // grows with every save
  std::vector<std::byte> config_string;  // at most 1024 bytes
  LifeCounters life;
  std::vector<protocol::SmartSelfTest> self_tests;  // oldest first, at most 21
  std::vector<MacAddress> mask;                     // at most 255
  std::vector<MacAddress> reservation;              // at most 255
  friend bool operator==(const PersistentState&, const PersistentState&) = default;
};

// A blob (blob.h) with the magic "aoestate". The address is part of it, so that a file that was
// renamed by hand is not taken for another export.
[[nodiscard]] std::vector<std::byte> encode_state(DeviceAddress address,
                                                  const PersistentState& state);

// corrupt: wrong magic, length or checksum, a section out of its bounds, or another export's state;
// unsupported: a version of the future. Sections of unknown type are skipped.
[[nodiscard]] Result<PersistentState> decode_state(DeviceAddress address, ConstByteSpan bytes);

// The IDENTIFY serial number and world wide name of an export that was not given one. The name is a
// locally assigned one (NAA 3, SPC-4 7.8.6.6.5) and follows from the serial alone, so that two
// gateways configured with the same serial show the same name.
[[nodiscard]] std::string default_serial(const PersistentState& state);
[[nodiscard]] std::uint64_t world_wide_name(std::string_view serial);

}  // namespace aoe::target
