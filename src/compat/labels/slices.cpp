#include "compat/labels/slices.h"

#include "compat/labels/gpt_types.h"

#include <fmt/format.h>

#include <algorithm>

namespace aoe::labels {
namespace {

// Without the sum of two numbers from the disk, which could wrap.
bool fits(std::uint64_t start, std::uint64_t sectors, std::uint64_t limit) {
  return start < limit && sectors <= limit - start;
}

void report_outside(Slice& slice, std::uint64_t limit, std::vector<std::string>& problems) {
  slice.is_usable = false;
  problems.push_back(fmt::format("{}: sectors {} and {} more pass the end at {}", slice.name,
                                 slice.start, slice.sectors, limit));
}

// Both of a pair are marked: nothing says which one is right. Slices here end below 2^64.
void check_overlaps(std::vector<Slice>& slices, std::vector<std::string>& problems) {
  std::vector<Slice*> sorted;
  for (Slice& slice : slices) {
    if (slice.is_usable && !slice.covers_others) {
      sorted.push_back(&slice);
    }
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Slice* a, const Slice* b) { return a->start < b->start; });
  Slice* furthest = nullptr;  // of those before, the one that ends last
  for (Slice* slice : sorted) {
    if (furthest != nullptr && slice->start < furthest->start + furthest->sectors) {
      problems.push_back(fmt::format("{}: overlaps {}", slice->name, furthest->name));
      slice->is_usable = false;
      furthest->is_usable = false;
    }
    if (furthest == nullptr ||
        slice->start + slice->sectors > furthest->start + furthest->sectors) {
      furthest = slice;
    }
  }
}

}  // namespace

std::vector<Slice> slices_of(const Vtoc& vtoc, const SliceBounds& bounds,
                             std::vector<std::string>& problems) {
  std::vector<Slice> slices;
  for (std::size_t i = 0; i < vtoc.slices.size(); ++i) {
    const VtocSlice& from = vtoc.slices[i];
    if (from.sectors == 0) {
      continue;
    }
    Slice slice{fmt::format("s{}", i),
                from.start,
                from.sectors,
                vtoc_tag_name(from.tag),
                flags_text(from.flags),
                from.tag == kTagBackup,
                true};
    if (!fits(from.start, from.sectors, bounds.limit)) {
      report_outside(slice, bounds.limit, problems);
    } else {
      slice.start += bounds.origin;
    }
    slices.push_back(std::move(slice));
  }
  check_overlaps(slices, problems);
  return slices;
}

std::vector<Slice> slices_of(const GptHeader& header, const std::vector<GptEntry>& entries,
                             std::vector<std::string>& problems) {
  std::vector<Slice> slices;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const GptEntry& from = entries[i];
    if (!from.is_used()) {
      continue;
    }
    Slice slice{fmt::format("s{}", i),
                from.first,
                0,
                gpt_type_name(from.type),
                flags_text(from.attributes & 0xFFFFU),
                false,
                true};
    if (from.first < header.first_usable || from.last > header.last_usable ||
        from.first > from.last) {
      slice.is_usable = false;
      problems.push_back(fmt::format("{}: sectors {} to {} are not within {} to {}", slice.name,
                                     from.first, from.last, header.first_usable,
                                     header.last_usable));
    }
    slice.sectors =
        from.first > from.last || from.last == UINT64_MAX ? 0 : from.last - from.first + 1;
    slices.push_back(std::move(slice));
  }
  check_overlaps(slices, problems);
  return slices;
}

std::vector<Slice> slices_of(const DosTable& table, std::uint64_t disk_sectors,
                             std::vector<std::string>& problems) {
  std::vector<Slice> slices;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const DosEntry& from = table[i];
    if (!from.is_used()) {
      continue;
    }
    Slice slice{
        fmt::format("p{}", i + 1), from.start, from.sectors, fmt::format("type {:02x}h", from.type),
        from.is_active ? "*" : "", false,      true};
    if (from.start == 0 || !fits(from.start, from.sectors, disk_sectors)) {
      report_outside(slice, disk_sectors, problems);
    }
    slices.push_back(std::move(slice));
  }
  check_overlaps(slices, problems);
  return slices;
}

}  // namespace aoe::labels
