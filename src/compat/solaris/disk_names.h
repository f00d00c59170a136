// The names that disks and their slices had on Solaris: cad107, cad107s0, cad107p1.
#pragma once

#include "compat/labels/slices.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat::solaris {

// A block device of this host that is an AoE disk.
struct NamedDisk {
  struct Part {
    std::string node;  // "/dev/loop0p1"
    std::uint64_t start = 0;
    std::uint64_t sectors = 0;
    std::uint32_t number = 0;  // 1
  };

  std::uint32_t instance = 0;
  std::string node;  // "/dev/loop0"
  std::uint64_t sectors = 0;
  std::vector<Part> parts;            // partitions that the kernel knows
  std::vector<labels::Slice> slices;  // what the label says
};

// A slice without a node, and the partition that would be one.
struct MissingPart {
  std::string name;  // "cad107s0"
  std::string node;  // of the disk
  std::uint32_t number = 0;
  std::uint64_t start = 0;
  std::uint64_t sectors = 0;
  bool overlaps = false;  // meant to: Linux would not take it

  friend bool operator==(const MissingPart&, const MissingPart&) = default;
};

// "cad107s0: /dev/loop0 has no partition of 2048 sectors at 34"
[[nodiscard]] std::string to_string(const MissingPart& missing);

struct NamePlan {
  std::map<std::string, std::string> links;  // name -> node
  std::vector<MissingPart> missing;
};

// A slice is the partition that begins and ends where it does, or the disk when it is all of it.
// Slices that are not usable get no name. Missing partitions get the numbers that Linux would give
// them (s0 is 1, p1 is 1), or others that are free.
[[nodiscard]] NamePlan plan_names(const std::vector<NamedDisk>& disks);

// "cad107", "cad107s0", "cad107p1"
[[nodiscard]] bool is_disk_name(std::string_view name);

}  // namespace aoe::compat::solaris
