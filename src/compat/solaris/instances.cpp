#include "compat/solaris/instances.h"

#include "compat/solaris/text_file.h"

#include <algorithm>

namespace aoe::compat::solaris {

Instances instances_of(const std::vector<DaemonTarget>& targets,
                       const std::vector<AoedDevice>& entries) {
  Instances instances;
  for (const AoedDevice& entry : entries) {
    if (std::any_of(targets.begin(), targets.end(),
                    [&](const DaemonTarget& target) { return target.address == entry.address; })) {
      instances.emplace(entry.instance, entry.address);
    }
  }
  return instances;
}

Instances standard_instances(const std::vector<DaemonTarget>& targets) {
  Instances instances;
  for (const DaemonTarget& target : targets) {
    if (const auto instance = standard_instance(target.address)) {
      instances.emplace(*instance, target.address);
    }
  }
  return instances;
}

Result<std::vector<AoedDevice>> read_aoed_conf(const std::string& path) {
  AOE_TRY_ASSIGN(const std::string text, read_text_file(path));
  AoedConf conf = parse_aoed_conf(text);
  if (!conf.problems.empty()) {
    return fail_with(Errc::invalid_argument, 0, "\n" + problems_text(path, conf.problems));
  }
  return std::move(conf.devices);
}

}  // namespace aoe::compat::solaris
