#include "compat/labels/geometry.h"

namespace aoe::labels {
namespace {

constexpr std::uint64_t kFieldMax = 0xFFFF;
constexpr std::uint64_t kOneGib = 0x200000;
constexpr std::uint64_t kEightGib = 0x1000000;
constexpr std::uint32_t kTrackUnit = 63;
constexpr std::uint32_t kMostHeads = 255;
constexpr std::uint64_t kCylindersMin = 3;      // two of them are alternate cylinders
constexpr std::uint64_t kComfortCylinders = 4;  // x86 loses one more to the DOS table
constexpr std::uint32_t kBackupTrackMin = 10;   // backup labels are at 1, 3, 5, 7, 9 of a track

}  // namespace

Geometry made_up_geometry(std::uint64_t sectors) {
  constexpr Geometry kSmall{64, 32};
  if (sectors < kComfortCylinders * kSmall.cylinder_sectors()) {
    return {2, 80};
  }
  if (sectors <= kOneGib) {
    return kSmall;
  }
  if (sectors <= kEightGib) {
    return {128, 32};
  }
  constexpr std::uint64_t kPerUnit = kFieldMax * kMostHeads * kTrackUnit;
  const std::uint64_t units = (sectors + kPerUnit - 1) / kPerUnit;
  return {kMostHeads, static_cast<std::uint32_t>(units) * kTrackUnit};
}

bool is_usable(const Geometry& geometry, std::uint64_t disk_sectors) {
  if (geometry.heads == 0 || geometry.heads > kFieldMax ||
      geometry.sectors_per_track < kBackupTrackMin || geometry.sectors_per_track > kFieldMax) {
    return false;
  }
  const std::uint64_t cylinders = disk_sectors / geometry.cylinder_sectors();
  return cylinders >= kCylindersMin && cylinders <= kFieldMax;
}

}  // namespace aoe::labels
