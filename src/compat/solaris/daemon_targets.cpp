#include "compat/solaris/daemon_targets.h"

#include "compat/solaris/json_fields.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

namespace aoe::compat::solaris {
namespace {

std::set<std::string> interfaces_of(const Json& stats, const std::string& device) {
  std::set<std::string> interfaces;
  const Json paths = member(member(member(stats, "devices"), device.c_str()), "paths");
  for (const Json& path : paths) {
    interfaces.insert(text_of(path, "interface"));
  }
  return interfaces;
}

}  // namespace

Result<std::vector<DaemonTarget>> targets_of(const Json& list, const Json& stats,
                                             const std::vector<Channel>& channels) {
  const Json devices = member(list, "devices");
  if (!devices.is_array()) {
    return fail_with(Errc::corrupt, 0, "the daemon's answer has no devices");
  }
  std::vector<DaemonTarget> targets;
  for (const Json& device : devices) {
    const std::string name = text_of(device, "address");
    const auto address = parse_device_address(name);
    if (!address) {
      return fail_with(Errc::corrupt, 0, "the daemon's answer has a device without an address");
    }
    const std::set<std::string> interfaces = interfaces_of(stats, name);
    const bool is_enabled = text_of(device, "state") != "disabled";
    for (const Channel& channel : channels) {
      if (interfaces.empty() || interfaces.count(channel.interface) != 0) {
        targets.push_back({{channel.number, *address}, is_enabled});
      }
    }
  }
  std::sort(targets.begin(), targets.end());
  return targets;
}

std::vector<DaemonTarget> select_targets(const std::vector<DaemonTarget>& targets,
                                         const std::vector<AddressPattern>& patterns) {
  std::vector<DaemonTarget> selected;
  std::copy_if(targets.begin(), targets.end(), std::back_inserter(selected),
               [&](const DaemonTarget& target) {
                 return patterns.empty() || std::any_of(patterns.begin(), patterns.end(),
                                                        [&](const AddressPattern& pattern) {
                                                          return pattern.matches(target.address);
                                                        });
               });
  return selected;
}

}  // namespace aoe::compat::solaris
