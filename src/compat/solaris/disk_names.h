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
  };

  std::uint32_t instance = 0;
  std::string node;  // "/dev/loop0"
  std::uint64_t sectors = 0;
  std::vector<Part> parts;            // partitions that the kernel knows
  std::vector<labels::Slice> slices;  // what the label says
};

struct NamePlan {
  std::map<std::string, std::string> links;  // name -> node
  std::vector<std::string> missing;          // slices without a node, a line each for people
};

// A slice is the partition that begins and ends where it does, or the disk when it is all of it.
// Slices that are not usable get no name.
[[nodiscard]] NamePlan plan_names(const std::vector<NamedDisk>& disks);

// "cad107", "cad107s0", "cad107p1"
[[nodiscard]] bool is_disk_name(std::string_view name);

}  // namespace aoe::compat::solaris
