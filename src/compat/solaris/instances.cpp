#include "compat/solaris/instances.h"

#include "compat/solaris/text_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

Result<std::optional<std::vector<AoedDevice>>> read_entries(const std::string* file,
                                                            const std::string& channels) {
  auto entries =
      read_aoed_conf(file != nullptr ? *file : fmt::format("{}/{}", channels, kEffectiveConf));
  if (!entries) {
    if (file == nullptr && entries.error().code == Errc::not_found) {
      return std::optional<std::vector<AoedDevice>>();
    }
    return fail(entries.error());
  }
  return std::optional(*std::move(entries));
}

Instances choose_instances(const std::vector<DaemonTarget>& targets,
                           const std::optional<std::vector<AoedDevice>>& entries) {
  return entries ? instances_of(targets, *entries) : standard_instances(targets);
}

}  // namespace aoe::compat::solaris
