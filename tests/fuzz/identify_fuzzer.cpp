// Any 512 bytes as an IDENTIFY sector: what is read must be a disk that can be built, and building
// it must read back the same.
#include "base/check.h"
#include "base/ids.h"
#include "fuzz/fuzz_entry.h"
#include "protocol/ata_identify.h"

#include <algorithm>
#include <array>

namespace aoe::protocol {
namespace {

void check_sector(ByteSpan sector) {
  const IdentifyView view = parse_identify(sector);
  AOE_CHECK(view.model.sector_count < kLbaLimit, "sizes stay within 48 bits");
  AOE_CHECK(view.model.serial.size() <= 20 && view.model.firmware.size() <= 8 &&
                view.model.model.size() <= 40,
            "strings stay within their fields");
  build_identify(sector, view.model);
  const IdentifyView again = parse_identify(sector);
  AOE_CHECK(again.model == view.model, "a disk reads back as it was built");
  AOE_CHECK(again.checksum == IdentifyChecksum::valid, "with a valid checksum");
}

}  // namespace
}  // namespace aoe::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::array<std::byte, aoe::protocol::kIdentifyBytes> sector{};
  aoe::copy_bytes(sector, std::as_bytes(std::span(data, std::min(size, sector.size()))));
  aoe::protocol::check_sector(sector);
  return 0;
}
