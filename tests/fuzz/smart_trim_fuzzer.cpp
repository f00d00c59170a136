// Any bytes as the data of SMART and TRIM. Byte 0 is the count register, byte 1 a log address, the
// data follows.
#include "base/check.h"
#include "fuzz/fuzz_entry.h"
#include "protocol/ata_smart.h"
#include "protocol/ata_trim.h"

#include <algorithm>
#include <array>
#include <vector>

namespace aoe::protocol {
namespace {

void check_trim(ConstByteSpan data, std::uint8_t count) {
  const auto ranges = parse_trim(data, count);
  AOE_CHECK(ranges.has_value() == (data.size() >= std::size_t{count} * kSectorBytes),
            "exactly what is there parses");
  if (!ranges) {
    return;
  }
  std::vector<TrimRange> list;
  for (std::size_t i = 0; i < ranges->size(); ++i) {
    list.push_back((*ranges)[i]);
  }
  std::vector<std::byte> built(ranges->size() * kTrimEntryBytes, std::byte{0xEE});
  build_trim(built, list);
  AOE_CHECK(equal_bytes(built, data.first(built.size())), "entries build back");
  AOE_CHECK(ranges->all_within(kLbaLimit + kTrimEntrySectorsMax), "no entry reaches further");
  if (!list.empty()) {
    const std::uint64_t wanted = list[0].first.value;
    const std::uint64_t done = build_trim_extent(built, Lba{0}, wanted);
    AOE_CHECK(done <= wanted && TrimRanges(built).total_sectors() == done, "an extent adds up");
  }
}

void check_smart(ConstByteSpan data, std::uint8_t log_address) {
  std::array<std::byte, kSmartSectorBytes> sector{};
  copy_bytes(sector, data.first(std::min(data.size(), sector.size())));
  const SmartView view = parse_smart_data(sector);
  AOE_CHECK(view.attribute_count <= kSmartAttributeCountMax, "the table has thirty entries");
  static_cast<void>(smart_directory_sectors(sector, log_address));
  static_cast<void>(smart_error_log_count(sector));
  for (std::size_t i = 0; i <= kSmartSelfTestCountMax; ++i) {
    static_cast<void>(smart_self_test(sector, i));
  }
  build_smart_data(sector, view.data);
  const SmartView again = parse_smart_data(sector);
  AOE_CHECK(again.data == view.data && again.checksum == SmartChecksum::valid,
            "SMART data reads back as it was built");
  const SmartLogResult result =
      build_smart_log(sector, log_address, {.error_count = view.data.read_errors});
  AOE_CHECK((result == SmartLogResult::built) == (smart_log_sectors(log_address) == 1),
            "the logs that are offered can be built");
}

}  // namespace
}  // namespace aoe::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  const aoe::ConstByteSpan bytes = std::as_bytes(std::span(data, size)).subspan(2);
  aoe::protocol::check_trim(bytes, data[0]);
  aoe::protocol::check_smart(bytes, data[1]);
  return 0;
}
