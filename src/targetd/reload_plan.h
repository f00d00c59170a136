// What lies between the configuration that runs and a new one.
#pragma once

#include "config/reload_plan.h"
#include "targetd/config.h"

namespace aoe::targetd {

// Both configurations are valid: no address twice. Origins are not compared.
[[nodiscard]] config::ReloadPlan diff(const config::ReloadPair<TargetConfig>& configs);

}  // namespace aoe::targetd
