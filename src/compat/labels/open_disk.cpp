#include "client/uri.h"
#include "compat/labels/disks.h"
#include "os/random_seed.h"

namespace aoe::labels {

Result<std::unique_ptr<Disk>> open_disk(const DiskPlace& place) {
  return client::has_aoe_scheme(place.text) ? open_device_disk(place)
                                            : open_file_disk(place.text, place.access);
}

Result<LabelKind> parse_label_kind(const std::string& text) {
  if (text == "auto") {
    return LabelKind::automatic;
  }
  if (text == "vtoc-sparc") {
    return LabelKind::vtoc_sparc;
  }
  if (text == "vtoc-x86") {
    return LabelKind::vtoc_x86;
  }
  if (text == "efi") {
    return LabelKind::efi;
  }
  return fail_with(Errc::invalid_argument, 0,
                   text + ": no kind of label (auto, vtoc-sparc, vtoc-x86, efi)");
}

LabelWish make_wish(LabelKind kind) {
  LabelWish wish;
  wish.kind = kind;
  for (Guid* guid : {&wish.disk_guid, &wish.data_guid, &wish.reserved_guid}) {
    *guid = make_random_guid(os::random_seed(), os::random_seed());
  }
  return wish;
}

}  // namespace aoe::labels
