#include "targetd/config_dump.h"

#include "targetd/config_keys.h"

namespace aoe::targetd {
std::string dump(const ExportConfig& config) {
  return "[[export]]\n" + config::dump_keys(export_keys(), config);
}

std::string dump(const TargetConfig& config) {
  std::string text = config::dump_keys(target_keys(), config);
  for (const ExportConfig& unit : config.exports) {
    text += "\n" + dump(unit);
  }
  return text;
}

}  // namespace aoe::targetd
