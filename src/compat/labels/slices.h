// The parts of a disk by the names that the Solaris package gave them: s0 to s15 and p1 to p4.
#pragma once

#include "compat/labels/dos_table.h"
#include "compat/labels/gpt.h"
#include "compat/labels/vtoc.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aoe::labels {

struct Slice {
  std::string name;           // "s0", "p1"
  std::uint64_t start = 0;    // sector of the disk
  std::uint64_t sectors = 0;  // above 0
  std::string type;           // "usr", "type bfh"
  std::string flags;          // "wm", or "*" of the active DOS partition
  bool covers_others =
      false;              // a slice that is meant to overlap: the whole disk, the boot cylinder
  bool is_usable = true;  // it lies on the disk and overlaps nothing that it must not
};

// `origin` and `limit` are the start and the sectors of what the label is of: the disk, or the
// partition.
struct SliceBounds {
  std::uint64_t origin = 0;
  std::uint64_t limit = 0;
};

// Those in use; what is wrong with one is a line in `problems`, and its is_usable is false.
[[nodiscard]] std::vector<Slice> slices_of(const Vtoc& vtoc, const SliceBounds& bounds,
                                           std::vector<std::string>& problems);
[[nodiscard]] std::vector<Slice> slices_of(const GptHeader& header,
                                           const std::vector<GptEntry>& entries,
                                           std::vector<std::string>& problems);
[[nodiscard]] std::vector<Slice> slices_of(const DosTable& table, std::uint64_t disk_sectors,
                                           std::vector<std::string>& problems);

}  // namespace aoe::labels
