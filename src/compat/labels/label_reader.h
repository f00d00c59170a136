// Which label a disk has, and what of it can be believed.
#pragma once

#include "base/result.h"
#include "compat/labels/disk.h"
#include "compat/labels/slices.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aoe::labels {

enum class Scheme : std::uint8_t { none, dos, vtoc_sparc, vtoc_x86, efi };

// "none", "dos", "vtoc-sparc", "vtoc-x86", "efi"
[[nodiscard]] const char* scheme_name(Scheme scheme);

struct LabelReport {
  std::uint64_t disk_sectors = 0;
  Scheme scheme = Scheme::none;    // none: no label at all, not even a damaged one
  std::vector<Slice> slices;       // p1.. of a DOS table first
  std::optional<Vtoc> vtoc;        // the label that was believed
  std::optional<GptHeader> gpt;    // likewise
  std::uint64_t vtoc_origin = 0;   // of the disk, or of the Solaris partition
  std::uint32_t backups_good = 0;  // equal to the label that was believed
  std::uint32_t backups_expected = 0;
  std::vector<std::string> problems;  // each a reason not to believe, for people

  [[nodiscard]] bool is_good() const { return problems.empty(); }
};

// Looks for a VTOC label first and then for an EFI one, as Solaris does. What a damaged label says
// is not used: of an EFI label the backup is, when that is good. Reads at most 600 sectors. Errors:
// those of the disk.
[[nodiscard]] Result<LabelReport> read_label(Disk& disk);

}  // namespace aoe::labels
