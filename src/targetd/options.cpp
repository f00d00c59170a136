#include "targetd/options.h"

#include "targetd/config_check.h"
#include "targetd/config_keys.h"
#include "targetd/export_spec.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::targetd {
namespace {

constexpr std::string_view kCommandLine = "command line";
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
  shadow=PATH            where writes go while the export is frozen
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

// An option that sets a key of the daemon.
struct OverrideOption {
  const char* option;
  std::string_view key;
  const char* value_name;
  const char* help;
};

constexpr std::array kOverrideOptions{
    OverrideOption{"--state-dir", "state_dir", "DIR",
                   "Where config strings, masks and reservations are kept (/var/lib/aoekit)"},
    OverrideOption{"--control", "control", "PATH",
                   "Control socket for `aoe target` (/run/aoekit/target.sock)"},
    OverrideOption{"--log-level", "log_level", "LEVEL",
                   "error, warning, info, debug or trace (info)"},
    OverrideOption{"--metrics", "metrics", "ADDR:PORT", "Serve metrics over HTTP there"},
    OverrideOption{"--user", "user", "NAME", "Become this user after start"},
    OverrideOption{"--group", "group", "NAME", "Become this group after start; with --user"},
};

// Where CLI11 puts what it finds.
struct Found {
  std::vector<std::string> interfaces;
  std::vector<std::string> exports;
  std::string config;
  std::string run;
  std::array<std::string, kOverrideOptions.size()> overrides;
  bool check_config = false;
  bool dump_config = false;
  bool foreground = false;
};

void declare_options(CLI::App& app, Found& found) {
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.set_version_flag("-V,--version", "aoe-targetd " AOE_VERSION, "Print the version and exit");
  // One argument an option: a list that ends at the next option would swallow slips.
  app.add_option("-i,--interface", found.interfaces, "Interface to serve on; may be repeated")
      ->type_name("IF[,IF..]")
      ->allow_extra_args(false);
  app.add_option("-e,--export", found.exports, "Disk to export; may be repeated")
      ->type_name("SHELF.SLOT=STORE[,KEY=VALUE..]")
      ->allow_extra_args(false);
  app.add_option("-c,--config", found.config,
                 "Read interfaces and exports from a TOML file instead")
      ->type_name("FILE");
  app.add_option("--run", found.run,
                 "Start, run CMD in a shell, stop, and exit with the status of CMD")
      ->type_name("CMD");
  for (std::size_t i = 0; i < kOverrideOptions.size(); ++i) {
    app.add_option(kOverrideOptions[i].option, found.overrides[i], kOverrideOptions[i].help)
        ->type_name(kOverrideOptions[i].value_name);
  }
  app.add_flag("--foreground", found.foreground, "Accepted and without effect: it never forks")
      ->disable_flag_override();
  app.add_flag("--check-config", found.check_config,
               "Check the configuration, print what is wrong, exit with 0 or 2")
      ->disable_flag_override();
  app.add_flag("--dump-config", found.dump_config,
               "Check the configuration, print it as TOML, exit with 0 or 2")
      ->disable_flag_override();
  // An option that is given twice is our error to report (check_combination), in our words.
  for (CLI::Option* option : app.get_options(
           [](const CLI::Option* candidate) { return candidate->get_expected_max() == 1; })) {
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  app.footer(kFooter);
}

// What CLI11 could not place: unknown options, and arguments that belong to none. The argument
// behind an unknown option is probably its value and not worth a line of its own.
void report_extras(const CLI::App& app, Diagnostics& diagnostics) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  bool behind_unknown = false;
  for (const std::string& extra : app.remaining()) {
    if (extra.size() > 1 && extra.front() == '-') {
      const std::string name = extra.substr(0, extra.find('='));
      diagnostics.add_error(std::string(kCommandLine), unknown_word("option", name, candidates));
      behind_unknown = true;
    } else if (!behind_unknown) {
      diagnostics.add_error(
          std::string(kCommandLine),
          fmt::format("unexpected argument {}: expected options alone (an export is given as -e "
                      "SHELF.SLOT=STORE)",
                      in_quotes(extra)));
    } else {
      behind_unknown = false;
    }
  }
}

// Errors in how the options go together.
void check_combination(const CLI::App& app, const Found& found, Diagnostics& diagnostics) {
  const auto error = [&diagnostics](std::string text) {
    diagnostics.add_error(std::string(kCommandLine), std::move(text));
  };
  const auto given = [&app](const char* name) { return app.get_option(name)->count() > 0; };
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeLast &&
        option->get_expected_max() == 1 && option->count() > 1) {
      error(fmt::format("{}: given twice", option->get_name()));
    }
  }
  for (const char* name : {"--config", "--run"}) {
    if (given(name) && app.get_option(name)->as<std::string>().empty()) {
      error(fmt::format("{}: empty: expected {}", name,
                        std::string_view(name) == "--run" ? "a command" : "the path of a file"));
    }
  }
  if (found.check_config && found.dump_config) {
    error("--check-config and --dump-config: expected one of them");
  }
  if (given("--config")) {
    for (const char* name : {"-i", "-e"}) {
      if (given(name)) {
        error(
            fmt::format("{} and --config: expected one of them (write it into FILE, or leave "
                        "--config out)",
                        name));
      }
    }
    return;
  }
  if (!given("-i")) {
    error("-i is missing: expected -i IF[,IF..], the interfaces to serve on (or --config FILE)");
  }
  if (!given("-e")) {
    error("-e is missing: expected -e SHELF.SLOT=STORE, at least one (or --config FILE)");
  }
}

Options to_options(const CLI::App& app, Found found) {
  Options options;
  if (found.check_config) {
    options.action = Action::check_config;
  } else if (found.dump_config) {
    options.action = Action::dump_config;
  }
  if (app.get_option("--config")->count() > 0) {
    options.config_path = std::move(found.config);
  }
  if (app.get_option("--run")->count() > 0) {
    options.run_command = std::move(found.run);
  }
  options.interfaces = std::move(found.interfaces);
  options.exports = std::move(found.exports);
  for (std::size_t i = 0; i < kOverrideOptions.size(); ++i) {
    const OverrideOption& known = kOverrideOptions[i];
    if (app.get_option(known.option)->count() > 0) {
      options.overrides.emplace_back(
          known.key, ConfigValue::word(std::move(found.overrides[i]), known.option));
    }
  }
  return options;
}

// "--config: expected FILE" instead of the library's "--config: 1 required FILE missing".
std::string missing_argument(const CLI::App& app, const CLI::ArgumentMismatch& error) {
  const std::string_view what = error.what();
  const CLI::Option* option = app.get_option_no_throw(std::string(what.substr(0, what.find(':'))));
  return option == nullptr ? sanitized(what)
                           : fmt::format("{}: expected {} behind it", option->get_name(),
                                         option->get_type_name());
}

Diagnostics one_error(std::string text) {
  Diagnostics diagnostics;
  diagnostics.add_error(std::string(kCommandLine), std::move(text));
  return diagnostics;
}

std::vector<std::string> split_at_commas(const std::vector<std::string>& texts) {
  std::vector<std::string> items;
  for (const std::string& text : texts) {
    std::string_view rest = text;
    while (true) {
      const std::size_t comma = rest.find(',');
      items.emplace_back(rest.substr(0, comma));
      if (comma == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(comma + 1);
    }
  }
  return items;
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
  setter.set("interfaces", "-i", ConfigValue::list(split_at_commas(options.interfaces), "-i"));
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
  CLI::App app("Exports files, block devices and Ceph RBD images as ATA over Ethernet disks.",
               "aoe-targetd");
  Found found;
  declare_options(app, found);
  app.allow_extras();
  try {
    // The library takes the arguments last first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return PrintedText{app.help()};
  } catch (const CLI::CallForVersion& version) {
    return PrintedText{version.what() + std::string("\n")};
  } catch (const CLI::ArgumentMismatch& error) {
    return one_error(missing_argument(app, error));
  } catch (const CLI::Error& error) {
    return one_error(sanitized(error.what()));
  }
  Diagnostics diagnostics;
  report_extras(app, diagnostics);
  if (diagnostics.ok()) {
    check_combination(app, found, diagnostics);
  }
  if (!diagnostics.ok()) {
    return diagnostics;
  }
  return to_options(app, std::move(found));
}

CommandLine parse_command_line(int argc, const char* const* argv) {
  if (argc < 1) {
    return parse_command_line(std::vector<std::string>{});
  }
  return parse_command_line(std::vector<std::string>(argv + 1, argv + argc));
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
