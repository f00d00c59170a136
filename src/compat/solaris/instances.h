// Which disk has which instance number.
#pragma once

#include "base/result.h"
#include "compat/solaris/aoed_conf.h"
#include "compat/solaris/daemon_targets.h"
#include "compat/solaris/target_address.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace aoe::compat::solaris {

// By instance number.
using Instances = std::map<std::uint32_t, TargetAddress>;

// Of those of the targets that the entries name.
[[nodiscard]] Instances instances_of(const std::vector<DaemonTarget>& targets,
                                     const std::vector<AoedDevice>& entries);

// By the digits of the addresses; targets without such a number have none.
[[nodiscard]] Instances standard_instances(const std::vector<DaemonTarget>& targets);

// Errors: those of the file; invalid_argument, with all problems and their lines.
[[nodiscard]] Result<std::vector<AoedDevice>> read_aoed_conf(const std::string& path);

}  // namespace aoe::compat::solaris
