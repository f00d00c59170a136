#include "compat/solaris/disk_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace aoe::compat::solaris {
namespace {

// Empty when there is none.
std::string node_of(const NamedDisk& disk, const labels::Slice& slice) {
  if (slice.start == 0 && slice.sectors == disk.sectors) {
    return disk.node;
  }
  const auto part =
      std::find_if(disk.parts.begin(), disk.parts.end(), [&](const NamedDisk::Part& candidate) {
        return candidate.start == slice.start && candidate.sectors == slice.sectors;
      });
  return part == disk.parts.end() ? std::string() : part->node;
}

void skip_digits(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
}

}  // namespace

NamePlan plan_names(const std::vector<NamedDisk>& disks) {
  NamePlan plan;
  for (const NamedDisk& disk : disks) {
    const std::string whole = fmt::format("cad{}", disk.instance);
    plan.links[whole] = disk.node;
    for (const labels::Slice& slice : disk.slices) {
      if (!slice.is_usable) {
        continue;
      }
      const std::string name = whole + slice.name;
      if (const std::string node = node_of(disk, slice); !node.empty()) {
        plan.links[name] = node;
      } else {
        plan.missing.push_back(fmt::format("{}: {} has no partition of {} sectors at {}", name,
                                           disk.node, slice.sectors, slice.start));
      }
    }
  }
  return plan;
}

bool is_disk_name(std::string_view name) {
  constexpr std::string_view kPrefix = "cad";
  if (!name.starts_with(kPrefix)) {
    return false;
  }
  name.remove_prefix(kPrefix.size());
  const std::size_t length = name.size();
  skip_digits(name);
  if (name.size() == length) {
    return false;
  }
  if (name.empty()) {
    return true;
  }
  if ((name.front() != 's' && name.front() != 'p') || name.size() == 1) {
    return false;
  }
  name.remove_prefix(1);
  skip_digits(name);
  return name.empty();
}

}  // namespace aoe::compat::solaris
