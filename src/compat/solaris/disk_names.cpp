#include "compat/solaris/disk_names.h"

#include "base/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

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

// Of "s0" 1, of "p1" 1.
std::uint32_t usual_number(std::string_view slice) {
  const auto digits = parse_unsigned(slice.substr(1));
  return static_cast<std::uint32_t>(digits.value_or(0)) + (slice.front() == 's' ? 1U : 0U);
}

class Numbers {
 public:
  explicit Numbers(const NamedDisk& disk) {
    for (const NamedDisk::Part& part : disk.parts) {
      taken_.insert(part.number);
    }
  }

  std::uint32_t take(std::string_view slice) {
    std::uint32_t number = usual_number(slice);
    if (number == 0 || taken_.count(number) != 0) {
      // Behind all slices and all of the nested ones that Linux numbers from 5.
      constexpr std::uint32_t kOthersFrom = 32;
      number = kOthersFrom;
      while (taken_.count(number) != 0) {
        ++number;
      }
    }
    taken_.insert(number);
    return number;
  }

 private:
  std::set<std::uint32_t> taken_;
};

void skip_digits(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
}

}  // namespace

std::string to_string(const MissingPart& missing) {
  return fmt::format("{}: {} has no partition of {} sectors at {}", missing.name, missing.node,
                     missing.sectors, missing.start);
}

NamePlan plan_names(const std::vector<NamedDisk>& disks) {
  NamePlan plan;
  for (const NamedDisk& disk : disks) {
    Numbers numbers(disk);
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
        plan.missing.push_back({name, disk.node, slice.covers_others ? 0 : numbers.take(slice.name),
                                slice.start, slice.sectors, slice.covers_others});
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
