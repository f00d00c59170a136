#include "unit/compat/labels/memory_disk.h"

#include <algorithm>

namespace aoe::labels::testing_support {

Result<void> MemoryDisk::read(Lba lba, ByteSpan into) {
  AOE_TRY(check(lba, into.size()));
  for (std::size_t at = 0; at < into.size(); at += kSectorBytes) {
    const auto found = content.find(lba.value + at / kSectorBytes);
    const ByteSpan sector = into.subspan(at, kSectorBytes);
    if (found == content.end()) {
      fill_zero(sector);
    } else {
      copy_bytes(sector, found->second);
    }
  }
  return {};
}

Result<void> MemoryDisk::write(Lba lba, ConstByteSpan from) {
  AOE_TRY(check(lba, from.size()));
  for (std::size_t at = 0; at < from.size(); at += kSectorBytes) {
    copy_bytes(content[lba.value + at / kSectorBytes], from.subspan(at, kSectorBytes));
  }
  return {};
}

Result<void> MemoryDisk::flush() {
  ++flushes;
  return {};
}

bool MemoryDisk::is_all_zero() const {
  return std::all_of(content.begin(), content.end(),
                     [](const auto& entry) { return entry.second == Sector{}; });
}

Result<void> MemoryDisk::check(Lba lba, std::size_t bytes) const {
  const std::uint64_t count = bytes / kSectorBytes;
  if (bytes % kSectorBytes != 0 || lba.value >= sectors_ || count > sectors_ - lba.value) {
    return fail_with(Errc::invalid_argument, 0, "outside of the disk");
  }
  return {};
}

}  // namespace aoe::labels::testing_support
