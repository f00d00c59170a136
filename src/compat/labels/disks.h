// The disks that labels are read from and written to.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "compat/labels/disk.h"
#include "compat/labels/label_plan.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace aoe::labels {

enum class DiskAccess : std::uint8_t { read_only, read_write };

struct DiskPlace {
  // A path, or an aoe: URI for a device: a bare e7.1 is a file of that name, as with `aoe copy`.
  std::string text;
  DiskAccess access = DiskAccess::read_only;
  // Of a device: used when its URI names none; "auto" when both are empty.
  std::vector<std::string> interfaces;
  Duration timeout = Duration::seconds(30);  // of a request; a URI may have another
};

// A device; a regular file or a block device. To write, a block device must not be mounted or
// otherwise in use. A last part of less than a sector is left out. Errors: those of open(2), with
// the path; invalid_argument for what is neither, and for a URI that is none; those of
// Session::open and open_device.
[[nodiscard]] Result<std::unique_ptr<Disk>> open_disk(const DiskPlace& place);

[[nodiscard]] Result<std::unique_ptr<Disk>> open_file_disk(const std::string& path,
                                                           DiskAccess access);
[[nodiscard]] Result<std::unique_ptr<Disk>> open_device_disk(const DiskPlace& place);

// "auto", "vtoc-sparc", "vtoc-x86", "efi". Errors: invalid_argument.
[[nodiscard]] Result<LabelKind> parse_label_kind(const std::string& text);

// With random GUIDs from the kernel.
[[nodiscard]] LabelWish make_wish(LabelKind kind);

}  // namespace aoe::labels
