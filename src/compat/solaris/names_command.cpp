#include "compat/solaris/names_command.h"

#include "base/parse.h"
#include "compat/labels/disks.h"
#include "compat/labels/label_reader.h"
#include "compat/solaris/disk_names.h"
#include "compat/solaris/instances.h"
#include "compat/solaris/link_directory.h"
#include "compat/solaris/text_file.h"
#include "os/block_device_users.h"

#include <fmt/format.h>

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
    if (start && sectors) {
      parts.push_back({directory + name, *start, *sectors});
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

}  // namespace

Result<void> make_names(const NamesWish& wish, Console& console) {
  AOE_TRY_ASSIGN(const auto channels, ChannelTable(wish.places.channels).active());
  AOE_TRY_ASSIGN(const auto client, connect(wish.places));
  AOE_TRY_ASSIGN(const auto targets, ask_targets(*client, channels));
  Instances instances = standard_instances(targets);
  if (wish.conf != nullptr) {
    AOE_TRY_ASSIGN(const auto entries, read_aoed_conf(*wish.conf));
    instances = instances_of(targets, entries);
  }
  std::vector<NamedDisk> disks;
  Result<void> outcome;
  for (const auto& [instance, address] : instances) {
    AOE_TRY_ASSIGN(const Json show,
                   client->call("initiator.show", {{"address", aoe::to_string(address.device)}}));
    const auto node = show.find("block_device");
    if (node == show.end() || !node->is_string()) {
      continue;
    }
    NamedDisk disk;
    disk.instance = instance;
    disk.node = node->get<std::string>();
    disk.parts = parts_of(wish.sys, disk.node);
    if (auto read = read_slices(disk); !read && outcome) {
      outcome = std::move(read);
    }
    disks.push_back(std::move(disk));
  }
  const NamePlan plan = plan_names(disks);
  for (const std::string& line : plan.missing) {
    console.error(fmt::format("aoectl: {}\n", line));
  }
  AOE_TRY(keep_links(wish.root + "/dsk", plan.links));
  AOE_TRY(keep_links(wish.root + "/rdsk", plan.links));
  return outcome;
}

}  // namespace aoe::compat::solaris
