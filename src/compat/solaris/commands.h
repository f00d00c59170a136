// The commands of the Solaris package, a function each.
#pragma once

#include "compat/program.h"

namespace aoe::compat::solaris {

[[nodiscard]] int run_aoectl(const Call& call, Console& console);
[[nodiscard]] int run_aoekstat(const Call& call, Console& console);
[[nodiscard]] int run_aoelabinit(const Call& call, Console& console);
[[nodiscard]] int run_aoemkconf(const Call& call, Console& console);
[[nodiscard]] int run_aoemon(const Call& call, Console& console);
[[nodiscard]] int run_aoestart(const Call& call, Console& console);
[[nodiscard]] int run_aoestop(const Call& call, Console& console);
[[nodiscard]] int run_aoeunlabel(const Call& call, Console& console);

}  // namespace aoe::compat::solaris
