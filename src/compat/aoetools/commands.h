// The commands of aoetools, as aoetools 36 has them (Debian 36-5). Each returns its exit status.
#pragma once

#include "compat/aoetools/driver.h"
#include "compat/program.h"

#include <span>

namespace aoe::compat::aoetools {

// All of them, by name.
[[nodiscard]] std::span<const Command> commands();

// What the commands of the driver do once they know which one there is.
[[nodiscard]] int show_devices(const Call& call, Driver& driver, Console& console);
[[nodiscard]] int start_discovery(const Call& call, Driver& driver, Console& console);
[[nodiscard]] int revalidate_devices(const Call& call, Driver& driver, Console& console);
[[nodiscard]] int flush_devices(const Call& call, Driver& driver, Console& console);
[[nodiscard]] int show_or_set_interfaces(const Call& call, Driver& driver, Console& console);
[[nodiscard]] int show_versions(const Call& call, Driver& driver, Console& console);
[[nodiscard]] int update_appliance(const Call& call, Driver& driver, Console& console);

// Those that need none.
[[nodiscard]] int make_devices(const Call& call, Console& console);
[[nodiscard]] int make_shelf(const Call& call, Console& console);
[[nodiscard]] int ping(const Call& call, Console& console);
[[nodiscard]] int config_strings(const Call& call, Console& console);
[[nodiscard]] int check_san(const Call& call, Console& console);

}  // namespace aoe::compat::aoetools
