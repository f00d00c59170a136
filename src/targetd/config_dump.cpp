#include "targetd/config_dump.h"

#include "targetd/config_keys.h"

#include <fmt/format.h>

namespace aoe::targetd {
namespace {

template <class Config>
std::string dump_keys(std::span<const ConfigKey<Config>> keys, const Config& config) {
  std::string text;
  for (const ConfigKey<Config>& key : keys) {
    if (const auto value = key.print(config)) {
      text += fmt::format("{} = {}\n", key.name, *value);
    }
  }
  return text;
}

}  // namespace

std::string dump(const ExportConfig& config) {
  return "[[export]]\n" + dump_keys(export_keys(), config);
}

std::string dump(const TargetConfig& config) {
  std::string text = dump_keys(target_keys(), config);
  for (const ExportConfig& unit : config.exports) {
    text += "\n" + dump(unit);
  }
  return text;
}

}  // namespace aoe::targetd
