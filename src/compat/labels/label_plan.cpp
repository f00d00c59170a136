#include "compat/labels/label_plan.h"

#include "compat/labels/crc32.h"
#include "compat/labels/dos_table.h"
#include "compat/labels/gpt_types.h"
#include "compat/labels/vtoc.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::labels {
namespace {

using Plan = std::vector<SectorWrite>;

// Solaris keeps 8 MiB at the end of EFI disks for itself, in the ninth slice.
constexpr std::uint64_t kReservedSectors = 16384;
constexpr std::size_t kReservedEntry = 8;
// Where the data of whole disks starts: 128 KiB, a multiple of every erase block and stripe in use.
constexpr std::uint64_t kEfiDataStart = 256;

template <class Bytes>
SectorWrite write_of(std::uint64_t lba, const Bytes& bytes) {
  return {Lba{lba}, std::vector<std::byte>(bytes.begin(), bytes.end())};
}

auto refused(std::string why) {
  return fail_with(Errc::invalid_argument, 0, std::move(why));
}

Result<Geometry> geometry_for(const LabelWish& wish, std::uint64_t sectors) {
  if (sectors > kVtocSectorsMax) {
    return refused(
        fmt::format("{} sectors are too many for a VTOC label (up to {}: 1 TiB; an EFI "
                    "label has room)",
                    sectors, kVtocSectorsMax));
  }
  const Geometry geometry = wish.geometry.value_or(made_up_geometry(sectors));
  if (!is_usable(geometry, sectors)) {
    return refused(
        fmt::format("{} sectors with {} heads and {} sectors a track: a VTOC label needs "
                    "3 to 65535 cylinders, and 10 sectors a track",
                    sectors, geometry.heads, geometry.sectors_per_track));
  }
  return geometry;
}

void add_vtoc(Plan& plan, const Vtoc& vtoc, std::uint64_t origin, std::uint64_t label_sector) {
  const Sector sector = encode_vtoc(vtoc);
  for (const std::uint64_t at : backup_labels_of(vtoc)) {
    plan.push_back(write_of(origin + at, sector));
  }
  plan.push_back(write_of(origin + label_sector, sector));
}

Result<Plan> plan_sparc(const LabelWish& wish, std::uint64_t disk_sectors) {
  AOE_TRY_ASSIGN(const Geometry geometry, geometry_for(wish, disk_sectors));
  Vtoc vtoc = make_up_vtoc(VtocForm::sparc, geometry, disk_sectors);
  vtoc.volume = wish.volume;
  Plan plan;
  add_vtoc(plan, vtoc, 0, 0);
  return plan;
}

Result<Plan> plan_x86(const LabelWish& wish, std::uint64_t disk_sectors,
                      const Sector& first_sector) {
  AOE_TRY_ASSIGN(const Geometry geometry, geometry_for(wish, disk_sectors));
  // The first cylinder holds the DOS table, as fdisk of Solaris has it.
  const std::uint64_t cylinder = geometry.cylinder_sectors();
  const std::uint64_t partition = disk_sectors / cylinder * cylinder - cylinder;
  if (!is_usable(geometry, partition)) {
    return refused(
        fmt::format("{} sectors are too few for a DOS table and a VTOC label with "
                    "cylinders of {}",
                    disk_sectors, cylinder));
  }
  Vtoc vtoc = make_up_vtoc(VtocForm::x86, geometry, partition);
  vtoc.volume = wish.volume;
  Plan plan;
  add_vtoc(plan, vtoc, cylinder, kX86LabelSector);
  DosTable table{};
  table[0] = {kDosSolaris, true, static_cast<std::uint32_t>(cylinder),
              static_cast<std::uint32_t>(partition)};
  Sector first = first_sector;
  encode_dos_table(table, first);
  plan.push_back(write_of(0, first));
  return plan;
}

Result<Plan> plan_efi(const LabelWish& wish, std::uint64_t disk_sectors,
                      const Sector& first_sector) {
  const std::uint64_t least = kEfiDataStart + 1 + kReservedSectors + kGptFirstUsable;
  if (disk_sectors < least) {
    return refused(
        fmt::format("{} sectors are too few for an EFI label of Solaris (at least {}: 8 MiB are "
                    "reserved)",
                    disk_sectors, least));
  }
  const std::uint64_t last = disk_sectors - 1;
  GptHeader primary;
  primary.my_lba = kGptPrimaryLba;
  primary.alternate_lba = last;
  primary.first_usable = kGptFirstUsable;
  primary.last_usable = last - 1 - kGptEntrySectors;
  primary.disk_guid = wish.disk_guid;
  primary.entries_lba = kGptPrimaryLba + 1;
  primary.entry_count = kGptEntries;
  const std::uint64_t reserved = primary.last_usable - kReservedSectors + 1;
  std::array<GptEntry, kReservedEntry + 1> entries{};
  entries[0] = {solaris_usr_type(), wish.data_guid, kEfiDataStart, reserved - 1, 0, {}};
  entries[kReservedEntry] = {
      solaris_reserved_type(), wish.reserved_guid, reserved, primary.last_usable, 0, {}};
  const std::vector<std::byte> array = encode_gpt_entries(entries);
  primary.entries_crc = crc32(array);
  GptHeader backup = primary;
  std::swap(backup.my_lba, backup.alternate_lba);
  backup.entries_lba = primary.last_usable + 1;
  Sector first = first_sector;
  encode_protective_table(disk_sectors, first);
  Plan plan;
  plan.push_back(write_of(backup.entries_lba, array));
  plan.push_back(write_of(backup.my_lba, encode_gpt_header(backup)));
  plan.push_back(write_of(primary.entries_lba, array));
  plan.push_back(write_of(primary.my_lba, encode_gpt_header(primary)));
  plan.push_back(write_of(0, first));
  return plan;
}

class Eraser {
 public:
  explicit Eraser(Disk& disk) : disk_(disk) {}

  Result<Plan> run() {
    if (disk_.sectors() < 2) {
      return std::move(plan_);
    }
    Sector first{};
    AOE_TRY(disk_.read(Lba{0}, first));
    if (has_vtoc_magic(first, VtocForm::sparc)) {
      AOE_TRY(clear_vtoc(first, VtocForm::sparc, 0, 0, disk_.sectors()));
      first = {};
    }
    AOE_TRY(clear_gpt());
    if (const auto table = decode_dos_table(first)) {
      AOE_TRY(clear_dos(*table, first));
    }
    return std::move(plan_);
  }

 private:
  void clear(std::uint64_t lba, std::uint64_t sectors) {
    plan_.push_back({Lba{lba}, std::vector<std::byte>(sectors * kSectorBytes)});
  }

  Result<void> clear_vtoc(const Sector& sector, VtocForm form, std::uint64_t origin,
                          std::uint64_t label_sector, std::uint64_t limit) {
    // Where backups are follows from a good label only, and even then each must look like one.
    if (const auto vtoc = decode_vtoc(sector, form)) {
      for (const std::uint64_t at : backup_labels_of(*vtoc)) {
        Sector backup{};
        if (at >= limit) {
          break;
        }
        AOE_TRY(disk_.read(Lba{origin + at}, backup));
        if (has_vtoc_magic(backup, form)) {
          clear(origin + at, 1);
        }
      }
    }
    clear(origin + label_sector, 1);
    return {};
  }

  Result<void> clear_gpt_at(std::uint64_t lba) {
    Sector sector{};
    AOE_TRY(disk_.read(Lba{lba}, sector));
    if (!has_gpt_signature(sector)) {
      return {};
    }
    const auto header = decode_gpt_header(sector, lba, disk_.sectors());
    // Entries where they always are: a header with a right checksum may still be meant to deceive.
    const bool is_usual = header && header->entry_count <= kGptEntries &&
                          (header->entries_lba == kGptPrimaryLba + 1 ||
                           header->entries_lba + kGptEntrySectors + 1 >= disk_.sectors() - 1);
    if (is_usual) {
      clear(header->entries_lba, entry_sectors(*header));
    }
    clear(lba, 1);
    return {};
  }

  Result<void> clear_gpt() {
    AOE_TRY(clear_gpt_at(kGptPrimaryLba));
    for (const std::uint64_t from_end : {2U, 1U}) {
      if (disk_.sectors() - from_end > kGptPrimaryLba) {
        AOE_TRY(clear_gpt_at(disk_.sectors() - from_end));
      }
    }
    return {};
  }

  Result<void> clear_dos(const DosTable& table, Sector first) {
    DosTable left = table;
    for (DosEntry& entry : left) {
      if (entry.type == kDosProtective) {
        entry = {};
      } else if (entry.type == kDosSolaris || entry.type == kDosSolarisOld) {
        AOE_TRY(clear_partition(entry));
      }
    }
    if (left == table) {
      return {};
    }
    if (std::any_of(left.begin(), left.end(), [](const DosEntry& e) { return e.is_used(); })) {
      encode_dos_table(left, first);
    } else {
      clear_dos_table(first);
    }
    plan_.push_back(write_of(0, first));
    return {};
  }

  // Type 82h is Linux swap as well: only one with a label in it is taken for Solaris.
  Result<void> clear_partition(DosEntry& entry) {
    const std::uint64_t limit = disk_.sectors();
    bool has_label = false;
    if (entry.sectors > kX86LabelSector && entry.start < limit &&
        entry.sectors <= limit - entry.start) {
      Sector sector{};
      AOE_TRY(disk_.read(Lba{entry.start + kX86LabelSector}, sector));
      has_label = has_vtoc_magic(sector, VtocForm::x86);
      if (has_label) {
        AOE_TRY(clear_vtoc(sector, VtocForm::x86, entry.start, kX86LabelSector, entry.sectors));
      }
    }
    if (has_label || entry.type == kDosSolaris) {
      entry = {};
    }
    return {};
  }

  Disk& disk_;
  Plan plan_;
};

Result<std::uint64_t> carry_out(Disk& disk, const Plan& plan) {
  std::uint64_t sectors = 0;
  for (const SectorWrite& write : plan) {
    AOE_TRY(disk.write(write.lba, write.bytes));
    sectors += write.bytes.size() / kSectorBytes;
  }
  AOE_TRY(disk.flush());
  return sectors;
}

}  // namespace

Result<Plan> plan_label(const LabelWish& wish, std::uint64_t disk_sectors,
                        const Sector& first_sector) {
  switch (wish.kind) {
    case LabelKind::automatic:
      return disk_sectors <= kVtocSectorsMax ? plan_sparc(wish, disk_sectors)
                                             : plan_efi(wish, disk_sectors, first_sector);
    case LabelKind::vtoc_sparc:
      return plan_sparc(wish, disk_sectors);
    case LabelKind::vtoc_x86:
      return plan_x86(wish, disk_sectors, first_sector);
    case LabelKind::efi:
      return plan_efi(wish, disk_sectors, first_sector);
  }
  return refused("no such kind of label");
}

Result<Plan> plan_erase(Disk& disk) {
  return Eraser(disk).run();
}

Result<void> init_label(Disk& disk, const LabelWish& wish, Replace replace) {
  AOE_TRY_ASSIGN(const LabelReport found, read_label(disk));
  if (found.scheme != Scheme::none && replace == Replace::no) {
    return fail_with(Errc::already_exists, 0,
                     fmt::format("{}: label: it has a label already: {} (-f replaces it)",
                                 disk.name(), scheme_name(found.scheme)));
  }
  // Whether the new label can be, before the old one goes.
  if (const auto possible = plan_label(wish, disk.sectors(), Sector{}); !possible) {
    return fail_with(possible.error().code, 0,
                     fmt::format("{}: label: {}", disk.name(), possible.error().message));
  }
  AOE_TRY(erase_label(disk));
  Sector first{};
  AOE_TRY(disk.read(Lba{0}, first));
  AOE_TRY_ASSIGN(const Plan plan, plan_label(wish, disk.sectors(), first));
  AOE_TRY(carry_out(disk, plan));
  return {};
}

Result<std::uint64_t> erase_label(Disk& disk) {
  AOE_TRY_ASSIGN(const Plan plan, plan_erase(disk));
  return carry_out(disk, plan);
}

}  // namespace aoe::labels
