// The ATA status and error registers, and the outcome of a command as a value (ATA8-ACS 6).
#pragma once

#include <cstdint>

namespace aoe::protocol {

inline constexpr std::uint8_t kStatusBusy = 0x80;
inline constexpr std::uint8_t kStatusReady = 0x40;
inline constexpr std::uint8_t kStatusDeviceFault = 0x20;
inline constexpr std::uint8_t kStatusDataRequest = 0x08;
// CORR of ATA-3 and before, obsolete since: the data was read with an error that was corrected.
inline constexpr std::uint8_t kStatusCorrected = 0x04;
inline constexpr std::uint8_t kStatusError = 0x01;

// The bits by which an initiator knows that a command failed: BSY, DF, DRQ, ERR. The Linux driver
// tests exactly these (A9h), so a target never leaves one of them set on success.
inline constexpr std::uint8_t kStatusFailureMask = 0xA9;

inline constexpr std::uint8_t kErrorInterfaceCrc = 0x80;
inline constexpr std::uint8_t kErrorUncorrectable = 0x40;
inline constexpr std::uint8_t kErrorIdNotFound = 0x10;
inline constexpr std::uint8_t kErrorAborted = 0x04;

struct AtaOutcome {
  std::uint8_t status = kStatusReady;
  std::uint8_t error = 0;
  friend bool operator==(const AtaOutcome&, const AtaOutcome&) = default;

  [[nodiscard]] constexpr bool is_failure() const { return (status & kStatusFailureMask) != 0; }
};

inline constexpr AtaOutcome kAtaOk{kStatusReady, 0};
// Unknown command, bad parameter, write to a read-only disk.
inline constexpr AtaOutcome kAtaAborted{kStatusReady | kStatusError, kErrorAborted};
// An address beyond the last sector.
inline constexpr AtaOutcome kAtaIdNotFound{kStatusReady | kStatusError, kErrorIdNotFound};
// The medium cannot be read.
inline constexpr AtaOutcome kAtaUncorrectable{kStatusReady | kStatusError, kErrorUncorrectable};
// The device cannot store: nothing the initiator does will mend it.
inline constexpr AtaOutcome kAtaDeviceFault{kStatusReady | kStatusDeviceFault | kStatusError,
                                            kErrorAborted};

}  // namespace aoe::protocol
