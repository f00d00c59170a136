#include "compat/labels/label_text.h"

#include <fmt/format.h>

#include <string_view>

namespace aoe::labels {
namespace {

std::string printable(std::string_view text) {
  std::string shown;
  for (const char letter : text) {
    shown += letter >= 0x20 && letter < 0x7F ? letter : '?';
  }
  return shown;
}

std::string backups_text(const LabelReport& report) {
  return fmt::format("{} of {} good", report.backups_good, report.backups_expected);
}

void add_vtoc(const LabelReport& report, const Vtoc& vtoc, std::string& text) {
  text += fmt::format("text:      {}\n", printable(vtoc.text));
  if (!vtoc.volume.empty()) {
    text += fmt::format("volume:    {}\n", printable(vtoc.volume));
  }
  text += fmt::format("geometry:  {} data cylinders, {} alternate, {} heads, {} sectors a track\n",
                      vtoc.data_cylinders, vtoc.alternate_cylinders, vtoc.geometry.heads,
                      vtoc.geometry.sectors_per_track);
  text += fmt::format("backups:   {}\n", backups_text(report));
}

}  // namespace

std::string label_text(const LabelReport& report) {
  std::string text = fmt::format("label:     {}\nsectors:   {}\n", scheme_name(report.scheme),
                                 report.disk_sectors);
  if (report.vtoc) {
    add_vtoc(report, *report.vtoc, text);
  }
  if (report.gpt) {
    text += fmt::format("guid:      {}\nusable:    {} to {}\nbackups:   {}\n",
                        to_string(report.gpt->disk_guid), report.gpt->first_usable,
                        report.gpt->last_usable, backups_text(report));
  }
  if (!report.slices.empty()) {
    text += fmt::format("\n{:<5} {:>15} {:>15}  {:<5}  {}\n", "SLICE", "START", "SECTORS", "FLAGS",
                        "TYPE");
  }
  for (const Slice& slice : report.slices) {
    text +=
        fmt::format("{:<5} {:>15} {:>15}  {:<5}  {}{}\n", slice.name, slice.start, slice.sectors,
                    slice.flags, slice.type, slice.is_usable ? "" : " (not usable)");
  }
  if (!report.problems.empty()) {
    text += "\n";
  }
  for (const std::string& problem : report.problems) {
    text += fmt::format("problem:   {}\n", printable(problem));
  }
  return text;
}

}  // namespace aoe::labels
