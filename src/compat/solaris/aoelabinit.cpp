#include "compat/labels/disks.h"
#include "compat/labels/label_plan.h"
#include "compat/solaris/arguments.h"
#include "compat/solaris/commands.h"

#include <fmt/format.h>

#include <array>

namespace aoe::compat::solaris {
namespace {

constexpr std::array kLongOptions{LongOption{"type", true}, LongOption{"interface", true}};

constexpr ArgumentForm kForm{
    "fi:", kLongOptions, "aoelabinit [-f] [--type TYPE] [-i IF[,IF..]] DISK",
    "Writes a Solaris label to a disk: a VTOC label up to 1 TiB, an EFI label above.\n"
    "DISK is /dev/rdsk/cadN, another block device or file, or aoe:e7.1.\n\n"
    "  -f                  replace a label that is there\n"
    "  --type TYPE         auto, vtoc-sparc, vtoc-x86 or efi (default auto)\n"
    "  -i, --interface IF  network interfaces to reach an aoe: disk through\n"
    "  --help              show this help and end\n"};

Result<void> write_label(const Arguments& arguments) {
  const std::string* const type = arguments.find("type");
  AOE_TRY_ASSIGN(const labels::LabelKind kind,
                 labels::parse_label_kind(type == nullptr ? "auto" : *type));
  labels::DiskPlace place;
  place.text = arguments.operands.front();
  place.access = labels::DiskAccess::read_write;
  for (const char* name : {"i", "interface"}) {
    if (const std::string* const list = arguments.find(name)) {
      place.interfaces = split_list(*list);
    }
  }
  AOE_TRY_ASSIGN(const auto disk, labels::open_disk(place));
  return labels::init_label(*disk, labels::make_wish(kind),
                            arguments.has("f") ? labels::Replace::yes : labels::Replace::no);
}

}  // namespace

int run_aoelabinit(const Call& call, Console& console) {
  int status = kOk;
  const auto arguments = read_arguments(call, kForm, console, status);
  if (!arguments) {
    return status;
  }
  if (arguments->operands.size() != 1) {
    return misused(call, kForm, console, "expected one disk");
  }
  if (const auto written = write_label(*arguments); !written) {
    console.error(fmt::format("{}: {}\n", call.name, written.error().message));
    return kFailed;
  }
  return kOk;
}

}  // namespace aoe::compat::solaris
