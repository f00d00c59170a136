#include "compat/labels/label_reader.h"

#include "compat/labels/crc32.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aoe::labels {
namespace {

Result<Sector> read_sector(Disk& disk, std::uint64_t lba) {
  Sector sector{};
  AOE_TRY(disk.read(Lba{lba}, sector));
  return sector;
}

class Reader {
 public:
  explicit Reader(Disk& disk) : disk_(disk) { report_.disk_sectors = disk.sectors(); }

  Result<LabelReport> run() {
    if (disk_.sectors() < 2) {
      return std::move(report_);
    }
    AOE_TRY_ASSIGN(const Sector first, read_sector(disk_, 0));
    if (has_vtoc_magic(first, VtocForm::sparc)) {
      report_.scheme = Scheme::vtoc_sparc;
      AOE_TRY(read_vtoc(first, VtocForm::sparc, {0, disk_.sectors()}, "SPARC label"));
      return std::move(report_);
    }
    const auto table = decode_dos_table(first);
    const bool is_protective =
        table && std::any_of(table->begin(), table->end(),
                             [](const DosEntry& entry) { return entry.type == kDosProtective; });
    if (table && !is_protective) {
      AOE_TRY(read_dos(*table));
      if (report_.scheme != Scheme::none) {
        return std::move(report_);
      }
    }
    AOE_TRY(read_gpt());
    if (report_.scheme == Scheme::efi && !is_protective) {
      add("no protective DOS table in sector 0");
    } else if (report_.scheme == Scheme::none && is_protective) {
      report_.scheme = Scheme::efi;
      add("a protective DOS table, and no EFI label");
    }
    return std::move(report_);
  }

 private:
  void add(std::string problem) { report_.problems.push_back(std::move(problem)); }

  Result<void> read_dos(const DosTable& table) {
    report_.slices = slices_of(table, disk_.sectors(), report_.problems);
    if (report_.slices.empty()) {
      // Boot sectors of file systems end like that too.
      return {};
    }
    report_.scheme = Scheme::dos;
    // A copy: slices of a label are added to the others.
    const std::vector<Slice> partitions = report_.slices;
    for (const Slice& partition : partitions) {
      const DosEntry& entry = table[static_cast<std::size_t>(partition.name[1] - '1')];
      if ((entry.type != kDosSolaris && entry.type != kDosSolarisOld) || !partition.is_usable ||
          entry.sectors <= kX86LabelSector) {
        continue;
      }
      AOE_TRY_ASSIGN(const Sector sector, read_sector(disk_, entry.start + kX86LabelSector));
      if (has_vtoc_magic(sector, VtocForm::x86)) {
        report_.scheme = Scheme::vtoc_x86;
        return read_vtoc(sector, VtocForm::x86, {entry.start, entry.sectors},
                         "x86 label in " + partition.name);
      }
    }
    return {};
  }

  Result<void> read_vtoc(const Sector& sector, VtocForm form, const SliceBounds& bounds,
                         const std::string& what) {
    auto vtoc = decode_vtoc(sector, form);
    if (!vtoc) {
      add(fmt::format("{}: {}", what, vtoc.error().message));
      return {};
    }
    const auto slices = slices_of(*vtoc, bounds, report_.problems);
    report_.slices.insert(report_.slices.end(), slices.begin(), slices.end());
    report_.vtoc_origin = bounds.origin;
    const auto backups = backup_labels_of(*vtoc);
    report_.backups_expected = static_cast<std::uint32_t>(backups.size());
    for (const std::uint64_t at : backups) {
      if (at >= bounds.limit) {
        add(fmt::format("{}: its {} cylinders pass the end at {} sectors", what,
                        std::uint64_t{vtoc->data_cylinders} + vtoc->alternate_cylinders,
                        bounds.limit));
        break;
      }
      AOE_TRY_ASSIGN(const Sector backup, read_sector(disk_, bounds.origin + at));
      report_.backups_good += equal_bytes(backup, sector) ? 1U : 0U;
    }
    if (report_.backups_good != report_.backups_expected) {
      add(fmt::format("{}: {} of {} backup labels are equal to it", what, report_.backups_good,
                      report_.backups_expected));
    }
    report_.vtoc = *std::move(vtoc);
    return {};
  }

  struct Gpt {
    GptHeader header;
    std::vector<GptEntry> entries;
  };

  // nullopt without a good one, with the reason among the problems when there is something.
  Result<std::optional<Gpt>> read_gpt_at(std::uint64_t lba, const char* what) {
    AOE_TRY_ASSIGN(const Sector sector, read_sector(disk_, lba));
    if (!has_gpt_signature(sector)) {
      return std::optional<Gpt>();
    }
    report_.scheme = Scheme::efi;
    const auto header = decode_gpt_header(sector, lba, disk_.sectors());
    if (!header) {
      add(fmt::format("{} EFI header at sector {}: {}", what, lba, header.error().message));
      return std::optional<Gpt>();
    }
    std::vector<std::byte> bytes(entry_sectors(*header) * kSectorBytes);
    AOE_TRY(disk_.read(Lba{header->entries_lba}, bytes));
    bytes.resize(std::size_t{header->entry_count} * kGptEntryBytes);
    if (const std::uint32_t crc = crc32(bytes); crc != header->entries_crc) {
      add(fmt::format("{} EFI entries at sector {}: wrong checksum ({:08x}h, computed {:08x}h)",
                      what, header->entries_lba, header->entries_crc, crc));
      return std::optional<Gpt>();
    }
    return std::optional<Gpt>(Gpt{*header, decode_gpt_entries(bytes)});
  }

  // The last sector; older Solaris on x86 used the one before.
  Result<std::optional<Gpt>> read_backup_gpt() {
    for (const std::uint64_t from_end : {1U, 2U}) {
      const std::uint64_t lba = disk_.sectors() - from_end;
      if (lba > kGptPrimaryLba) {
        AOE_TRY_ASSIGN(auto found, read_gpt_at(lba, "backup"));
        if (found) {
          return found;
        }
      }
    }
    return std::optional<Gpt>();
  }

  Result<void> read_gpt() {
    AOE_TRY_ASSIGN(const auto primary, read_gpt_at(kGptPrimaryLba, "primary"));
    AOE_TRY_ASSIGN(const auto backup, read_backup_gpt());
    if (report_.scheme != Scheme::efi) {
      return {};
    }
    report_.backups_expected = 1;
    if (!primary) {
      add(backup ? "no good primary EFI label: the backup is used" : "no good EFI label");
    } else if (!backup) {
      add(primary->header.alternate_lba + 2 < disk_.sectors()
              ? fmt::format("no EFI backup at the end of the disk (the label says sector {}: has "
                            "the disk grown?)",
                            primary->header.alternate_lba)
              : std::string("no good EFI backup at the end of the disk"));
    } else if (primary->header.disk_guid != backup->header.disk_guid ||
               primary->entries != backup->entries) {
      add("the EFI label and its backup differ");
    } else {
      report_.backups_good = 1;
    }
    const auto& believed = primary ? primary : backup;
    if (believed) {
      report_.gpt = believed->header;
      report_.slices = slices_of(believed->header, believed->entries, report_.problems);
    }
    return {};
  }

  Disk& disk_;
  LabelReport report_;
};

}  // namespace

const char* scheme_name(Scheme scheme) {
  switch (scheme) {
    case Scheme::none:
      return "none";
    case Scheme::dos:
      return "dos";
    case Scheme::vtoc_sparc:
      return "vtoc-sparc";
    case Scheme::vtoc_x86:
      return "vtoc-x86";
    case Scheme::efi:
      return "efi";
  }
  return "none";
}

Result<LabelReport> read_label(Disk& disk) {
  return Reader(disk).run();
}

}  // namespace aoe::labels
