#include "targetd/options.h"

#include "targetd/config_check.h"
#include "targetd/config_keys.h"
#include "targetd/export_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aoe::targetd {
namespace {

using config::ConfigValue;
using config::Diagnostics;
using config::kCommandLine;
using config::KeySetter;

constexpr std::size_t kNamedExportsMax = 8;

constexpr const char* kFooter =
    R"(STORE is a path (regular file or block device), file:PATH, memory:SIZE, null:SIZE or
rbd:POOL/IMAGE[@SNAP]. Keys behind it:
  mode=write-through|write-back|read-only  when a write is acknowledged (write-through)
  buffers=N              requests taken at once, 2 to 65535 (64)
  offset=SECTORS         where in STORE the export begins (0)
  length=SECTORS         how much of STORE it shows (all)
  direct=on|off|auto     go around the page cache (auto)
  cache=SIZE             a block cache of our own (0: none)
  allow=MAC+MAC..|any    whose frames are answered (any)
  remote_admin=initiators|none|MAC+MAC..
                         who of them may set config string, masks, reservations (initiators)
  shadow=PATH            where writes go while the export is frozen (beside the state)
  shadow_full=thaw|refuse
                         give up the frozen state when there is no room, or fail writes (thaw)
  thaw_rate=SIZE         bytes a second that a thaw copies; 0: no limit (64M)
  overlay=DIR            every initiator writes into a layer of its own there (none)
  overlay_max=N          how many layers, 1 to 4096 (256)
  snapshots=DIR          what snapshots need (none: none are taken)
  integrity=PATH         checksums of what is in STORE (none)
  scrub_rate=SIZE        bytes a second that a scrub reads; 0: no limit (64M)
  geometry=native|chs    all of the store, or whole cylinders, for Windows (native)
  iops=N                 requests a second, of all initiators (0: no cap)
  bandwidth=SIZE         bytes a second, of all initiators (0: no cap)
  initiator_iops=N       requests a second, of each initiator (0: no cap)
  initiator_bandwidth=SIZE
                         bytes a second, of each initiator (0: no cap)
  weights=MAC=N+MAC=N..  shares of initiators when not all can be served (1 each)
  duplicate_memory=false executes every copy of a command (true: once, between our own ends)
  late_write_guard=false executes late writes of Linux hosts (true: drops them)
  model=TEXT             at most 40 characters
  serial=TEXT            at most 20 characters
  interfaces=IF+IF..     only these of the daemon's interfaces (all)
  start_offline=true     silent until `aoe target online`
A comma inside of STORE or a value is written \, and a backslash before a comma \\.
SIZE takes K M G T P (powers of 1024) or s (sectors of 512 bytes).

Examples:
  aoe-targetd -i eth1 -e 7.1=/srv/disk.img
  aoe-targetd -i eth1,eth2 -e 7.1=/dev/vg0/disk,mode=write-back,allow=02:00:00:00:0a:10
  aoe-targetd --config /etc/aoekit/aoe-targetd.toml --check-config)";

constexpr config::DaemonTexts kTexts{
    .program = "aoe-targetd",
    .description = "Exports files, block devices and Ceph RBD images as ATA over Ethernet disks.",
    .interface_help = "Interface to serve on; may be repeated",
    .config_help = "Read interfaces and exports from a TOML file instead",
    .control_help = "Control socket for `aoe target` (/run/aoekit/target.sock)",
    .footer = kFooter,
    .stray_hint = " (an export is given as -e SHELF.SLOT=STORE)",
};

// Errors in how the options go together.
void check_combination(const Options& options, Diagnostics& diagnostics) {
  const auto error = [&diagnostics](std::string text) {
    diagnostics.add_error(std::string(kCommandLine), std::move(text));
  };
  if (options.config_path) {
    const auto refuse = [&](const char* name, bool given) {
      if (given) {
        error(
            fmt::format("{} and --config: expected one of them (write it into FILE, or leave "
                        "--config out)",
                        name));
      }
    };
    refuse("-i", !options.interfaces.empty());
    refuse("-e", !options.exports.empty());
    return;
  }
  if (options.interfaces.empty()) {
    error("-i is missing: expected -i IF[,IF..], the interfaces to serve on (or --config FILE)");
  }
  if (options.exports.empty()) {
    error("-e is missing: expected -e SHELF.SLOT=STORE, at least one (or --config FILE)");
  }
}

// One line for all exports that are open by default.
void warn_of_open_exports(const std::vector<DeviceAddress>& open, Diagnostics& diagnostics) {
  if (open.empty()) {
    return;
  }
  std::string names;
  for (std::size_t i = 0; i < std::min(open.size(), kNamedExportsMax); ++i) {
    names += (i == 0 ? "" : ", ") + to_string(open[i]);
  }
  if (open.size() > kNamedExportsMax) {
    names += fmt::format(" and {} more", open.size() - kNamedExportsMax);
  }
  diagnostics.add_warning(
      std::string(kCommandLine),
      fmt::format(
          "{}: open to every host on the network (allow=MAC+MAC.. restricts, allow=any says "
          "that this is meant)",
          names));
}

LoadedConfig config_of_command_line(const Options& options) {
  LoadedConfig loaded;
  loaded.config.origin = kCommandLine;
  KeySetter<TargetConfig> setter(target_keys(), loaded.config, loaded.diagnostics);
  setter.set("interfaces", "-i",
             ConfigValue::list(config::split_at_commas(options.interfaces), "-i"));
  std::vector<DeviceAddress> open;
  for (const std::string& text : options.exports) {
    auto spec = parse_export_spec(text, "-e", loaded.diagnostics);
    if (!spec) {
      continue;
    }
    if (!spec->allow_given) {
      open.push_back(spec->config.address);
    }
    loaded.config.exports.push_back(std::move(spec->config));
  }
  warn_of_open_exports(open, loaded.diagnostics);
  return loaded;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  Options options;
  config::DaemonCommandLine line(kTexts);
  line.add_list(
      {"-e,--export", "SHELF.SLOT=STORE[,KEY=VALUE..]", "Disk to export; may be repeated"},
      options.exports);
  line.add_text(
      {"--run", "CMD", "Start, run CMD in a shell, stop, and exit with the status of CMD"},
      "a command", options.run_command);
  line.add_flag("--replace",
                "Stop the daemon that runs now and go on where it left off, its exports included",
                options.replace);
  line.add_override({"--state-dir", "DIR",
                     "Where config strings, masks and reservations are kept (/var/lib/aoekit)"},
                    "state_dir");
  line.add_override({"--frame-life", "TIME",
                     "How long the network may keep a frame back, at most 10s; 0: never mind (1s)"},
                    "frame_life");
  line.add_override({"--shards", "auto|N",
                     "Threads that divide the exports between them; auto: one a processor (1)"},
                    "shards");
  line.add_override({"--metrics", "ADDR:PORT", "Serve metrics over HTTP there"}, "metrics");
  auto parsed = line.parse(arguments);
  if (auto* text = std::get_if<config::PrintedText>(&parsed)) {
    return std::move(*text);
  }
  if (auto* wrong = std::get_if<Diagnostics>(&parsed)) {
    return std::move(*wrong);
  }
  static_cast<config::DaemonOptions&>(options) = std::move(std::get<config::DaemonOptions>(parsed));
  Diagnostics diagnostics;
  check_combination(options, diagnostics);
  if (!diagnostics.ok()) {
    return diagnostics;
  }
  return options;
}

LoadedConfig load_config(const Options& options) {
  LoadedConfig loaded = options.config_path ? read_config_file(*options.config_path)
                                            : config_of_command_line(options);
  KeySetter<TargetConfig> setter(target_keys(), loaded.config, loaded.diagnostics);
  for (const auto& [key, value] : options.overrides) {
    setter.set(key, value.where, value);
  }
  loaded.diagnostics.append(validate(loaded.config));
  return loaded;
}

}  // namespace aoe::targetd
