// Every key of an export and of the daemon, once: its name, how it is read and written, and what a
// change of it takes in a running daemon. The command line, the TOML file, the dump and the reload
// all work from these two tables; a new key is one new entry.
#pragma once

#include "targetd/config.h"
#include "targetd/config_value.h"
#include "targetd/diagnostics.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::targetd {

// What a changed key takes to come into force.
enum class ChangeEffect : std::uint8_t {
  live,     // taken over between two requests; initiators notice nothing
  reopen,   // the export goes offline, is opened anew and announces itself again
  restart,  // only the next start of the daemon sees it
};

template <class Config>
struct ConfigKey {
  std::string_view name;
  ChangeEffect effect = ChangeEffect::restart;
  // Sets the key's fields of the configuration; leaves them alone on an error.
  ReadResult<void> (*read)(const ConfigValue&, Config&) = nullptr;
  // The value as TOML; nothing where the key is unset and has no default to show.
  std::optional<std::string> (*print)(const Config&) = nullptr;
};

using ExportKey = ConfigKey<ExportConfig>;
using TargetKey = ConfigKey<TargetConfig>;

[[nodiscard]] std::span<const ExportKey> export_keys();
[[nodiscard]] std::span<const TargetKey> target_keys();

// A string of TOML: in double quotes, with escapes. `text` is UTF-8 (read_text sees to it).
[[nodiscard]] std::string toml_string(std::string_view text);

// Sets keys of one configuration value by value, and remembers which were set.
template <class Config>
class KeySetter {
 public:
  // `config` and `diagnostics` outlive the setter.
  KeySetter(std::span<const ConfigKey<Config>> keys, Config& config, Diagnostics& diagnostics)
      : keys_(keys), config_(config), diagnostics_(diagnostics) {}

  // A key that the caller handles itself, for the suggestions to an unknown one.
  void also_known(std::string_view name) { also_known_ = name; }

  // Reads `value` into the key called `name`. An unknown key (reported at `name_where`), one that
  // was set before, and a value that the key refuses become errors.
  void set(std::string_view name, const std::string& name_where, const ConfigValue& value) {
    for (const ConfigKey<Config>& key : keys_) {
      if (key.name == name) {
        set_known(key, name_where, value);
        return;
      }
    }
    std::vector<std::string_view> names;
    for (const ConfigKey<Config>& key : keys_) {
      names.push_back(key.name);
    }
    if (!also_known_.empty()) {
      names.push_back(also_known_);
    }
    diagnostics_.add_error(name_where, unknown_word("key", name, names));
  }

  // Whether the key was given, well or badly.
  [[nodiscard]] bool was_given(std::string_view name) const { return has(given_, name); }

  // Whether the key was given, and read without an error.
  [[nodiscard]] bool was_set(std::string_view name) const { return has(set_, name); }

 private:
  static bool has(const std::vector<std::string_view>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  void set_known(const ConfigKey<Config>& key, const std::string& name_where,
                 const ConfigValue& value) {
    const std::string name(key.name);
    if (was_given(key.name)) {
      diagnostics_.add_error(name_where, name + ": given twice");
      return;
    }
    given_.push_back(key.name);
    if (const auto done = key.read(value, config_); !done) {
      diagnostics_.add_error(value.where, name + ": " + done.error());
      return;
    }
    set_.push_back(key.name);
  }

  std::span<const ConfigKey<Config>> keys_;
  Config& config_;
  Diagnostics& diagnostics_;
  std::string_view also_known_;
  std::vector<std::string_view> given_;
  std::vector<std::string_view> set_;
};

}  // namespace aoe::targetd
