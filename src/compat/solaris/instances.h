// Which disk has which instance number.
#pragma once

#include "base/result.h"
#include "compat/solaris/aoed_conf.h"
#include "compat/solaris/daemon_targets.h"
#include "compat/solaris/target_address.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
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

// The name, in the directory of the channels, of the aoed.conf that was made effective last.
inline constexpr std::string_view kEffectiveConf = "aoed.conf";

// The entries of `file`, or, without one, of the effective aoed.conf in `channels`; nullopt when
// there is none. Errors: read_aoed_conf().
[[nodiscard]] Result<std::optional<std::vector<AoedDevice>>> read_entries(
    const std::string* file, const std::string& channels);

// Of those entries; by the digits of the addresses when there are none.
[[nodiscard]] Instances choose_instances(const std::vector<DaemonTarget>& targets,
                                         const std::optional<std::vector<AoedDevice>>& entries);

}  // namespace aoe::compat::solaris
