// The vocabulary between a target core, which decides what to read and write, and a block store,
// which does it. Pure values: either side can be replaced by a test or the simulator.
#pragma once

#include "base/ids.h"
#include "base/mac_address.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace aoe {

enum class StoreOpKind : std::uint8_t {
  read,          // data.size() bytes at offset_bytes into data
  write,         // data.size() bytes from data to offset_bytes
  flush,         // everything completed before this was submitted reaches stable storage
  discard,       // the range may be forgotten; reads see zeros iff the store promises that
  write_zeroes,  // the range reads as zeros afterwards
};

// Whether an operation may complete once it is visible to later reads, or only once it would also
// survive a power cut.
enum class Durability : std::uint8_t { visible, stable };

// Offsets and lengths are multiples of 512 and lie inside the store: the submitter has checked
// that. `data` stays valid, and its bytes untouched, until the operation's completion was taken.
struct StoreOp {
  StoreTag tag{};  // unique among the operations in flight of one submitter
  StoreOpKind kind = StoreOpKind::read;
  Durability durability = Durability::visible;  // of write, discard and write_zeroes
  std::uint64_t offset_bytes = 0;
  std::uint64_t length_bytes = 0;  // equals data.size() for read and write; 0 for flush
  std::span<std::byte> data{};
  MacAddress initiator{};  // who asks, for stores that keep them apart; zero: nobody in particular
};

enum class StoreErrc : std::uint8_t {
  ok,
  io,           // the medium failed (EIO and everything unexpected)
  no_space,     // ENOSPC or EDQUOT: the range has no room in the backing
  read_only,    // the backing refuses writes
  truncated,    // the backing ended before the range did (it shrank behind our back)
  sync_failed,  // data was accepted but could not be made stable: it may be lost (fsync failed)
  unsupported,  // the backing cannot do this kind of operation
  rotten,       // the bytes are not those that were written: their checksum says so
};

struct StoreCompletion {
  StoreTag tag{};
  StoreErrc status = StoreErrc::ok;
  // Where it failed, as far as known: the first bad byte, at least the operation's offset_bytes.
  // 0 on success.
  std::uint64_t error_offset_bytes = 0;
};

[[nodiscard]] const char* store_errc_name(StoreErrc code);

}  // namespace aoe
