#include "tools/label.h"

#include "compat/labels/disks.h"
#include "compat/labels/label_plan.h"
#include "compat/labels/label_reader.h"
#include "compat/labels/label_text.h"
#include "tools/command_line.h"
#include "tools/network.h"
#include "tools/output.h"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace aoe::tools {
namespace {

constexpr const char* kDiskHelp = "A file, a block device or aoe:e7.1";

Json label_json(const labels::LabelReport& report) {
  Json slices = Json::array();
  for (const labels::Slice& slice : report.slices) {
    slices.push_back({{"name", slice.name},
                      {"start_sector", slice.start},
                      {"size_sectors", slice.sectors},
                      {"type", slice.type},
                      {"flags", slice.flags},
                      {"usable", slice.is_usable}});
  }
  Json json{{"label", labels::scheme_name(report.scheme)},
            {"size_sectors", report.disk_sectors},
            {"good", report.is_good()},
            {"backups_good", report.backups_good},
            {"backups_expected", report.backups_expected},
            {"slices", std::move(slices)},
            {"problems", report.problems}};
  if (report.vtoc) {
    json["text"] = report.vtoc->text;
    json["volume"] = report.vtoc->volume;
    json["geometry"] = {{"data_cylinders", report.vtoc->data_cylinders},
                        {"alternate_cylinders", report.vtoc->alternate_cylinders},
                        {"heads", report.vtoc->geometry.heads},
                        {"sectors_per_track", report.vtoc->geometry.sectors_per_track}};
  }
  if (report.gpt) {
    json["guid"] = to_string(report.gpt->disk_guid);
  }
  return json;
}

class LabelCommand : public Command {
 public:
  void define(CommandLine& line) override {
    line.positional({"DISK", "", kDiskHelp}, disk_, Needed::yes);
    define_more(line);
    network_.timeout = Duration::seconds(30);
    network_.define_interfaces(line);
    line.option({"--timeout", "TIME", "Give up when a request is not answered (default 30s)"},
                network_.timeout);
  }

 protected:
  virtual void define_more(CommandLine& line) = 0;

  [[nodiscard]] Result<std::unique_ptr<labels::Disk>> open(labels::DiskAccess access) const {
    labels::DiskPlace place;
    place.text = disk_;
    place.access = access;
    AOE_TRY_ASSIGN(place.interfaces, split_interfaces(network_.interface_lists));
    place.timeout = network_.timeout;
    return labels::open_disk(place);
  }

 private:
  NetworkOptions network_;
  std::string disk_;
};

class LabelShowCommand final : public LabelCommand {
 public:
  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const auto disk, open(labels::DiskAccess::read_only));
    AOE_TRY_ASSIGN(const labels::LabelReport report, labels::read_label(*disk));
    AOE_TRY(print_out(output_ == OutputFormat::json ? json_document(label_json(report))
                                                    : labels::label_text(report)));
    return report.is_good() ? ExitStatus::ok : ExitStatus::failed;
  }

 protected:
  void define_more(CommandLine& line) override {
    line.output_option(output_);
    line.epilogue(
        "Knows VTOC labels of SPARC and x86, EFI labels and DOS tables. Whatever is wrong with the "
        "label is a\nline \"problem\" and exit status 1; slices that pass the end or overlap are "
        "not usable.");
  }

 private:
  OutputFormat output_ = OutputFormat::text;
};

class LabelInitCommand final : public LabelCommand {
 public:
  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const labels::LabelKind kind, labels::parse_label_kind(kind_));
    labels::LabelWish wish = labels::make_wish(kind);
    if ((heads_ == 0) != (sectors_ == 0) || heads_ > UINT16_MAX || sectors_ > UINT16_MAX) {
      return fail_with(Errc::invalid_argument, 0,
                       "label: --heads and --sectors: expected both, each up to 65535, or neither");
    }
    if (heads_ != 0) {
      wish.geometry = labels::Geometry{static_cast<std::uint32_t>(heads_),
                                       static_cast<std::uint32_t>(sectors_)};
    }
    constexpr std::size_t kVolumeMax = 8;
    if (volume_.size() > kVolumeMax) {
      return fail_with(
          Errc::invalid_argument, 0,
          fmt::format("label: --volume: {}: longer than {} bytes", volume_, kVolumeMax));
    }
    wish.volume = volume_;
    AOE_TRY_ASSIGN(const auto disk, open(labels::DiskAccess::read_write));
    AOE_TRY(labels::init_label(*disk, wish, force_ ? labels::Replace::yes : labels::Replace::no));
    return ExitStatus::ok;
  }

 protected:
  void define_more(CommandLine& line) override {
    line.flag({"-f,--force", "", "Replace a label that is there"}, force_);
    line.option_choice({"--type", "", "Kind of label (default auto)"}, kind_,
                       {"auto", "vtoc-sparc", "vtoc-x86", "efi"});
    line.option({"--heads", "N", "Heads of a VTOC label (default: made up)"}, heads_);
    line.option({"--sectors", "N", "Sectors a track of a VTOC label"}, sectors_);
    line.option({"--volume", "NAME", "Volume name of a VTOC label, up to 8 bytes"}, volume_);
    line.epilogue(
        "auto is a SPARC VTOC label up to 1 TiB (slices 0 and 2 are all data), and an EFI label "
        "above.");
  }

 private:
  bool force_ = false;
  std::string kind_ = "auto";
  std::uint64_t heads_ = 0;
  std::uint64_t sectors_ = 0;
  std::string volume_;
};

class LabelEraseCommand final : public LabelCommand {
 public:
  Result<ExitStatus> run() override {
    AOE_TRY_ASSIGN(const auto disk, open(labels::DiskAccess::read_write));
    AOE_TRY(labels::erase_label(*disk));
    return ExitStatus::ok;
  }

 protected:
  void define_more(CommandLine& line) override {
    line.epilogue(
        "Takes VTOC and EFI labels and their backups away, damaged ones too. Data, boot code and "
        "other\npartitions of a DOS table stay.");
  }
};

}  // namespace

std::unique_ptr<Command> make_label_show_command() {
  return std::make_unique<LabelShowCommand>();
}

std::unique_ptr<Command> make_label_init_command() {
  return std::make_unique<LabelInitCommand>();
}

std::unique_ptr<Command> make_label_erase_command() {
  return std::make_unique<LabelEraseCommand>();
}

}  // namespace aoe::tools
