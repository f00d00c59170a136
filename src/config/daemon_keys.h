// The keys that every daemon has, for its table of keys.
#pragma once

#include "config/daemon_config.h"
#include "config/key.h"

#include <array>
#include <string_view>

namespace aoe::config {

inline constexpr std::array kLogLevelWords{std::string_view("error"), std::string_view("warning"),
                                           std::string_view("info"), std::string_view("debug"),
                                           std::string_view("trace")};
inline constexpr std::array kLogLevels{LogLevel::error, LogLevel::warning, LogLevel::info,
                                       LogLevel::debug, LogLevel::trace};

// `Config` is a DaemonConfig.
template <class Config>
struct DaemonKeys {
  using Key = ConfigKey<Config>;

  static constexpr Key kInterfaces{
      "interfaces", ChangeEffect::live,
      [](const ConfigValue& value, Config& config) {
        return assign(config.interfaces, read_interfaces(value));
      },
      [](const Config& config) -> Printed { return toml_names(config.interfaces); }};

  static constexpr Key kPort{
      "port", ChangeEffect::restart,
      [](const ConfigValue& value, Config& config) {
        return assign_enum(config.port, value, kPortKindWords, kPortKinds);
      },
      [](const Config& config) -> Printed { return toml_string(to_string(config.port)); }};

  static constexpr Key kControl{
      "control", ChangeEffect::restart,
      [](const ConfigValue& value, Config& config) {
        return assign(config.control_path, read_socket_path(value));
      },
      [](const Config& config) -> Printed { return toml_string(config.control_path); }};

  static constexpr Key kLogLevel{
      "log_level", ChangeEffect::live,
      [](const ConfigValue& value, Config& config) {
        return assign_enum(config.log_level, value, kLogLevelWords, kLogLevels);
      },
      [](const Config& config) -> Printed { return toml_string(to_string(config.log_level)); }};

  static constexpr Key kBusyPoll{
      "busy_poll", ChangeEffect::restart,
      [](const ConfigValue& value, Config& config) -> ReadResult<void> {
        if (is_word(value, "auto")) {
          config.busy_poll.reset();
          return {};
        }
        AOE_TRY_ASSIGN(config.busy_poll, read_duration(value, {Duration{}, kBusyPollMax}));
        return {};
      },
      [](const Config& config) -> Printed {
        return toml_string(config.busy_poll ? format_duration(*config.busy_poll) : "auto");
      }};

  static constexpr Key kUser{"user", ChangeEffect::restart,
                             [](const ConfigValue& value, Config& config) {
                               return assign(config.user,
                                             read_account(value, "the name of a user"));
                             },
                             [](const Config& config) { return toml_unless_empty(config.user); }};

  static constexpr Key kGroup{"group", ChangeEffect::restart,
                              [](const ConfigValue& value, Config& config) {
                                return assign(config.group,
                                              read_account(value, "the name of a group"));
                              },
                              [](const Config& config) { return toml_unless_empty(config.group); }};
};

}  // namespace aoe::config
