// A key of a configuration, once: its name, how it is read and written, and what a change of it
// takes in a running daemon. Each daemon has tables of keys; its command line, its TOML file, the
// dump and the reload all work from them, and a new key is one new entry.
#pragma once

#include "config/diagnostics.h"
#include "config/toml_text.h"
#include "config/value.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aoe::config {

// What a changed key takes to come into force.
enum class ChangeEffect : std::uint8_t {
  live,     // taken over between two requests; users notice nothing
  reopen,   // what the item stands for is closed and opened anew
  restart,  // only the next start of the daemon sees it
};

template <class Config>
struct ConfigKey {
  std::string_view name;
  ChangeEffect effect = ChangeEffect::restart;
  // Sets the key's fields of the configuration; leaves them alone on an error.
  ReadResult<void> (*read)(const ConfigValue&, Config&) = nullptr;
  Printed (*print)(const Config&) = nullptr;
};

// A key that an item must have, and what should stand there, for messages.
struct RequiredKey {
  std::string_view name;
  std::string_view expected;
};

// The lines of a TOML file that set every key as `config` has it, defaults included: reading them
// gives an equal configuration, and equal configurations give equal lines.
template <class Config>
[[nodiscard]] std::string dump_keys(std::span<const ConfigKey<Config>> keys, const Config& config) {
  std::string text;
  for (const ConfigKey<Config>& key : keys) {
    if (const Printed value = key.print(config)) {
      text += std::string(key.name) + " = " + *value + "\n";
    }
  }
  return text;
}

// A reader that assigns the result of one of value.h's to one field.
template <class Field, class Value>
ReadResult<void> assign(Field& field, ReadResult<Value> value) {
  if (!value) {
    return fail(std::move(value).error());
  }
  field = *std::move(value);
  return {};
}

// The same for a word that stands for an enumerator.
template <class Enum, std::size_t kCount>
ReadResult<void> assign_enum(Enum& field, const ConfigValue& value,
                             const std::array<std::string_view, kCount>& words,
                             const std::array<Enum, kCount>& enumerators) {
  AOE_TRY_ASSIGN(const std::size_t index, read_word(value, words));
  field = enumerators[index];
  return {};
}

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

  // Reports every required key that was not given; `item` says whose ("export e7.1").
  void require(std::span<const RequiredKey> required, const std::string& where,
               const std::string& item) {
    for (const RequiredKey& key : required) {
      if (!was_given(key.name)) {
        diagnostics_.add_error(where, item + ": " + std::string(key.name) + ": missing: expected " +
                                          std::string(key.expected));
      }
    }
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

}  // namespace aoe::config
