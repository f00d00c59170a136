// A disk of any size of which only what was written takes memory.
#pragma once

#include "compat/labels/disk.h"

#include <cstdint>
#include <map>
#include <string>

namespace aoe::labels::testing_support {

class MemoryDisk final : public Disk {
 public:
  explicit MemoryDisk(std::uint64_t sectors) : sectors_(sectors) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] std::uint64_t sectors() const override { return sectors_; }

  // Outside of the disk is a bug of the caller, whatever a label says: an error.
  Result<void> read(Lba lba, ByteSpan into) override;
  Result<void> write(Lba lba, ConstByteSpan from) override;
  Result<void> flush() override;

  [[nodiscard]] bool is_all_zero() const;

  std::map<std::uint64_t, Sector> content;
  int flushes = 0;

 private:
  [[nodiscard]] Result<void> check(Lba lba, std::size_t bytes) const;

  std::string name_ = "disk";
  std::uint64_t sectors_;
};

}  // namespace aoe::labels::testing_support
