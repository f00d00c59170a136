#include "targetd/config_file.h"

#include "targetd/config_keys.h"

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::targetd {
namespace {

using config::Diagnostics;
using config::KeySetter;
using config::RequiredKey;
using config::TomlEntry;
using config::TomlTable;

constexpr std::array kRequired{
    RequiredKey{"address", "SHELF.SLOT in quotes, such as \"7.1\""},
    RequiredKey{"store", "a path, file:PATH, memory:SIZE, null:SIZE or rbd:POOL/IMAGE[@SNAP]"},
    RequiredKey{"allow", "\"any\" or a list of MAC addresses"}};

void read_export(const TomlTable& table, LoadedConfig& loaded) {
  ExportConfig config;
  config.origin = table.where;
  KeySetter<ExportConfig> setter(export_keys(), config, loaded.diagnostics);
  for (const TomlEntry& entry : table.entries) {
    setter.set(entry.name, entry.where, entry.value);
  }
  setter.require(kRequired, config.origin,
                 setter.was_set("address") ? "export " + to_string(config.address) : "export");
  if (setter.was_set("address")) {
    loaded.config.exports.push_back(std::move(config));
  }
}

void read_root(const TomlTable& root, const std::string& file_name, LoadedConfig& loaded) {
  Diagnostics& diagnostics = loaded.diagnostics;
  KeySetter<TargetConfig> setter(target_keys(), loaded.config, diagnostics);
  setter.also_known("export");
  bool has_exports = false;
  for (const TomlEntry& entry : root.entries) {
    if (entry.name == "export") {
      has_exports = true;
      config::for_each_table(entry, diagnostics,
                             [&](const TomlTable& table) { read_export(table, loaded); });
    } else {
      setter.set(entry.name, entry.where, entry.value);
    }
  }
  if (!setter.was_given("interfaces")) {
    diagnostics.add_error(file_name,
                          "interfaces: missing: expected a list of at least one interface name");
  }
  if (!has_exports) {
    diagnostics.add_error(file_name, "export: missing: expected at least one [[export]]");
  }
}

}  // namespace

LoadedConfig parse_config_text(std::string_view text, const std::string& file_name) {
  LoadedConfig loaded;
  loaded.config.origin = file_name;
  if (const auto root = config::parse_toml(text, file_name, loaded.diagnostics)) {
    read_root(*root, file_name, loaded);
  }
  return loaded;
}

LoadedConfig read_config_file(const std::string& path) {
  LoadedConfig failed;
  failed.config.origin = path;
  const auto text = config::read_file(path, failed.diagnostics);
  return text ? parse_config_text(*text, path) : failed;
}

}  // namespace aoe::targetd
