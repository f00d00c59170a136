// Cylinders, heads and sectors, which no disk has any more and which VTOC labels count in.
#pragma once

#include <cstdint>
#include <optional>

namespace aoe::labels {

struct Geometry {
  std::uint32_t heads = 0;
  std::uint32_t sectors_per_track = 0;

  [[nodiscard]] std::uint64_t cylinder_sectors() const {
    return std::uint64_t{heads} * sectors_per_track;
  }

  friend bool operator==(const Geometry&, const Geometry&) = default;
};

// The largest disk that gets a VTOC label unless one is asked for: 1 TiB (seed manual of the
// Solaris package, 4.6.4).
inline constexpr std::uint64_t kVtocSectorsMax = std::uint64_t{1} << 31U;

// As Solaris makes one up for disks that report none: 64 heads of 32 sectors up to 1 GiB, 128 of 32
// up to 8 GiB, then 255 heads and the smallest multiple of 63 sectors with which cylinders fit 16
// bits. Disks that would have fewer than 4 such cylinders get 2 heads of 80 sectors. `sectors` is
// at most kVtocSectorsMax.
[[nodiscard]] Geometry made_up_geometry(std::uint64_t sectors);

// Whether labels can hold it, and backup labels (5 in one track) fit: heads 1..65535, sectors a
// track 10..65535, 3 to 65535 cylinders on `disk_sectors`.
[[nodiscard]] bool is_usable(const Geometry& geometry, std::uint64_t disk_sectors);

}  // namespace aoe::labels
