#include "targetd/reload_plan.h"

#include "targetd/config_keys.h"

namespace aoe::targetd {

config::ReloadPlan diff(const config::ReloadPair<TargetConfig>& configs) {
  config::ReloadPlan plan;
  plan.daemon_keys = config::changed_keys(target_keys(), configs);
  config::plan_items<ExportConfig>(export_keys(), {configs.running.exports, configs.wanted.exports},
                                   plan);
  return plan;
}

}  // namespace aoe::targetd
