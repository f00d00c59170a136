// The border between store errors and what an initiator is told: one table.
#pragma once

#include "base/store_op.h"
#include "protocol/ata_registers.h"

namespace aoe::target {

enum class TransferDirection : std::uint8_t { from_store, to_store };

[[nodiscard]] constexpr protocol::AtaOutcome store_outcome(StoreErrc code,
                                                           TransferDirection direction) {
  const bool is_read = direction == TransferDirection::from_store;
  switch (code) {
    case StoreErrc::ok:
      return protocol::kAtaOk;
    case StoreErrc::io:
    case StoreErrc::truncated:
    case StoreErrc::rotten:
      // A read error names a sector and the rest of the disk is fine; a write error does not mean
      // that the medium has a hole there, so the device takes the blame.
      return is_read ? protocol::kAtaUncorrectable : protocol::kAtaDeviceFault;
    case StoreErrc::no_space:
    case StoreErrc::sync_failed:
      return protocol::kAtaDeviceFault;
    case StoreErrc::read_only:
    case StoreErrc::unsupported:
      return protocol::kAtaAborted;
  }
  return protocol::kAtaDeviceFault;
}

}  // namespace aoe::target
