#include "compat/solaris/names_command.h"

#include "base/parse.h"
#include "compat/labels/disks.h"
#include "compat/labels/label_reader.h"
#include "compat/solaris/channel_table.h"
#include "compat/solaris/daemon_link.h"
#include "compat/solaris/disk_names.h"
#include "compat/solaris/instances.h"
#include "compat/solaris/link_directory.h"
#include "compat/solaris/text_file.h"
#include "os/block_device_users.h"
#include "os/block_partitions.h"

#include <fmt/format.h>

#include <map>
#include <utility>

namespace aoe::compat::solaris {
namespace {

Result<std::uint64_t> number_in(const std::string& path) {
  AOE_TRY_ASSIGN(std::string text, read_text_file(path));
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  const auto number = parse_unsigned(text);
  if (!number) {
    return fail_with(Errc::corrupt, 0, path + ": no number");
  }
  return *number;
}

// Those that vanish meanwhile are left out.
std::vector<NamedDisk::Part> parts_of(const std::string& sys, const std::string& node) {
  std::vector<NamedDisk::Part> parts;
  const std::string directory = node.substr(0, node.rfind('/') + 1);
  for (const std::string& name : os::partitions_of(node)) {
    const std::string at = fmt::format("{}/class/block/{}", sys, name);
    const auto start = number_in(at + "/start");
    const auto sectors = number_in(at + "/size");
    const auto number = number_in(at + "/partition");
    if (start && sectors && number) {
      parts.push_back({directory + name, *start, *sectors, static_cast<std::uint32_t>(*number)});
    }
  }
  return parts;
}

Result<void> read_slices(NamedDisk& disk) {
  AOE_TRY_ASSIGN(const auto opened, labels::open_disk({.text = disk.node, .interfaces = {}}));
  disk.sectors = opened->sectors();
  AOE_TRY_ASSIGN(labels::LabelReport report, labels::read_label(*opened));
  disk.slices = std::move(report.slices);
  return {};
}

// Empty when it became one.
std::string why_no_partition(const MissingPart& missing) {
  if (missing.overlaps) {
    return "it overlaps other slices";
  }
  const auto added = os::add_partition(
      missing.node, {.number = missing.number, .start = missing.start, .sectors = missing.sectors});
  if (added) {
    return {};
  }
  return added.error().code == Errc::busy ? "it overlaps a partition that Linux has"
                                          : added.error().message;
}

Result<std::vector<NamedDisk>> attached_disks(control::Client& client, const NamesWish& wish,
                                              NamesReport& report) {
  AOE_TRY_ASSIGN(const auto channels, ChannelTable(wish.channels).active());
  AOE_TRY_ASSIGN(const auto targets, ask_targets(client, channels));
  AOE_TRY_ASSIGN(const auto entries, read_entries(wish.conf, wish.channels));
  std::vector<NamedDisk> disks;
  for (const auto& [instance, address] : choose_instances(targets, entries)) {
    AOE_TRY_ASSIGN(const Json show,
                   client.call("initiator.show", {{"address", aoe::to_string(address.device)}}));
    const auto node = show.find("block_device");
    if (node == show.end() || !node->is_string()) {
      continue;
    }
    NamedDisk disk;
    disk.instance = instance;
    disk.node = node->get<std::string>();
    if (auto read = read_slices(disk); !read && report.outcome) {
      report.outcome = std::move(read);
    }
    disks.push_back(std::move(disk));
  }
  return disks;
}

NamePlan plan_of(std::vector<NamedDisk>& disks, const std::string& sys) {
  for (NamedDisk& disk : disks) {
    disk.parts = parts_of(sys, disk.node);
  }
  return plan_names(disks);
}

}  // namespace

Result<NamesReport> make_names(control::Client& client, const NamesWish& wish) {
  NamesReport report;
  AOE_TRY_ASSIGN(std::vector<NamedDisk> disks, attached_disks(client, wish, report));
  NamePlan plan = plan_of(disks, wish.sys);
  // A disk that two channels reach is here twice, and its partitions once.
  std::map<std::string, std::string> reasons;
  bool is_any_added = false;
  for (const MissingPart& missing : plan.missing) {
    const std::string why = why_no_partition(missing);
    is_any_added = is_any_added || why.empty();
    reasons[missing.name] = why;
  }
  if (is_any_added) {
    plan = plan_of(disks, wish.sys);
  }
  for (const MissingPart& missing : plan.missing) {
    report.unnamed.push_back(fmt::format("{}: {}", to_string(missing), reasons[missing.name]));
  }
  AOE_TRY(keep_links(wish.root + "/dsk", plan.links));
  AOE_TRY(keep_links(wish.root + "/rdsk", plan.links));
  return report;
}

}  // namespace aoe::compat::solaris
