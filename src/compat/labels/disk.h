// What the code of labels needs of a disk.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

#include <array>
#include <cstdint>
#include <string>

namespace aoe::labels {

using Sector = std::array<std::byte, kSectorBytes>;

// Sectors of 512 bytes. Single thread. Lengths are multiples of 512; callers stay below sectors().
class Disk {
 public:
  Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  virtual ~Disk() = default;

  // As the user wrote it, for messages.
  [[nodiscard]] virtual const std::string& name() const = 0;
  [[nodiscard]] virtual std::uint64_t sectors() const = 0;

  // Errors: those of the disk, with its name.
  [[nodiscard]] virtual Result<void> read(Lba lba, ByteSpan into) = 0;
  [[nodiscard]] virtual Result<void> write(Lba lba, ConstByteSpan from) = 0;
  // What was written is on stable storage when it returns without an error.
  [[nodiscard]] virtual Result<void> flush() = 0;
};

}  // namespace aoe::labels
