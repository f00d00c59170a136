#include "compat/labels/disks.h"
#include "compat/labels/label_plan.h"
#include "compat/solaris/arguments.h"
#include "compat/solaris/commands.h"

#include <fmt/format.h>

#include <array>

namespace aoe::compat::solaris {
namespace {

constexpr std::array kLongOptions{LongOption{"interface", true}};

constexpr ArgumentForm kForm{
    "i:", kLongOptions, "aoeunlabel [-i IF[,IF..]] DISK..",
    "Takes VTOC and EFI labels and their backups away. Data, boot code and other partitions of a\n"
    "DOS table stay. DISK is /dev/rdsk/cadN, another block device or file, or aoe:e7.1.\n\n"
    "  -i, --interface IF  network interfaces to reach an aoe: disk through\n"
    "  --help              show this help and end\n"};

Result<void> erase(const std::string& disk_text, const std::vector<std::string>& interfaces) {
  labels::DiskPlace place;
  place.text = disk_text;
  place.access = labels::DiskAccess::read_write;
  place.interfaces = interfaces;
  AOE_TRY_ASSIGN(const auto disk, labels::open_disk(place));
  AOE_TRY(labels::erase_label(*disk));
  return {};
}

}  // namespace

int run_aoeunlabel(const Call& call, Console& console) {
  int status = kOk;
  const auto arguments = read_arguments(call, kForm, console, status);
  if (!arguments) {
    return status;
  }
  if (arguments->operands.empty()) {
    return misused(call, kForm, console, "expected a disk");
  }
  std::vector<std::string> interfaces;
  for (const char* name : {"i", "interface"}) {
    if (const std::string* const list = arguments->find(name)) {
      interfaces = split_list(*list);
    }
  }
  // The others are done all the same.
  for (const std::string& disk : arguments->operands) {
    if (const auto erased = erase(disk, interfaces); !erased) {
      console.error(fmt::format("{}: {}\n", call.name, erased.error().message));
      status = kFailed;
    }
  }
  return status;
}

}  // namespace aoe::compat::solaris
