#include "initiatord/options.h"

#include "initiatord/config_keys.h"

#include <utility>

namespace aoe::initiatord {
namespace {

using config::ConfigValue;
using config::Diagnostics;
using config::kCommandLine;
using config::KeySetter;

constexpr const char* kFooter =
    R"(IF is the name of an interface, or auto for all real Ethernet interfaces with carrier.
Without a file every target that answers is opened and kept.

Examples:
  aoe-initiatord -i eth1,eth2
  aoe-initiatord --config /etc/aoekit/aoe-initiatord.toml --check-config)";

constexpr config::DaemonTexts kTexts{
    .program = "aoe-initiatord",
    .description = "Finds ATA over Ethernet disks, keeps them, and hands them to this host.",
    .interface_help = "Interface to use, or auto; may be repeated, wins over the file",
    .config_help = "Read interfaces and devices from a TOML file",
    .control_help = "Control socket for `aoe` (/run/aoekit/initiator.sock)",
    .footer = kFooter,
    .stray_hint = " (interfaces are given as -i IF)",
};

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  config::DaemonCommandLine line(kTexts);
  line.add_override(
      {"--mount", "DIR", "Show the devices as files there, or none (/run/aoekit/etherd)"}, "mount");
  line.add_override({"--links", "DIR", "Name attached devices there, or none (/dev/etherd)"},
                    "links");
  auto parsed = line.parse(arguments);
  if (auto* text = std::get_if<config::PrintedText>(&parsed)) {
    return std::move(*text);
  }
  if (auto* wrong = std::get_if<Diagnostics>(&parsed)) {
    return std::move(*wrong);
  }
  Options options{std::move(std::get<config::DaemonOptions>(parsed))};
  if (options.interfaces.empty() && !options.config_path) {
    Diagnostics diagnostics;
    diagnostics.add_error(std::string(kCommandLine),
                          "-i is missing: expected -i IF[,IF..], the interfaces to use, or -i auto "
                          "(or --config FILE)");
    return diagnostics;
  }
  return options;
}

LoadedConfig load_config(const Options& options) {
  LoadedConfig loaded;
  if (options.config_path) {
    loaded = read_config_file(*options.config_path);
  } else {
    loaded.config.origin = kCommandLine;
  }
  KeySetter<InitiatorConfig> setter(initiator_keys(), loaded.config, loaded.diagnostics);
  if (!options.interfaces.empty()) {
    setter.set("interfaces", "-i",
               ConfigValue::list(config::split_at_commas(options.interfaces), "-i"));
  }
  for (const auto& [key, value] : options.overrides) {
    setter.set(key, value.where, value);
  }
  // A configuration that could not be read would only be said to lack things.
  if (loaded.diagnostics.ok()) {
    loaded.diagnostics.append(validate(loaded.config));
  }
  return loaded;
}

}  // namespace aoe::initiatord
