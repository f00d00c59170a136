#include "compat/aoetools/commands.h"

#include "compat/aoetools/common_options.h"

#include <fmt/format.h>

#include <array>

namespace aoe::compat::aoetools {
namespace {

using DriverCommand = int (*)(const Call&, Driver&, Console&);

// Runs a command of the driver with the one that this host has.
template <DriverCommand kCommand>
int with_driver(const Call& call, Console& console) {
  // Only for --control; what is wrong with the rest, the command says.
  class Silence final : public Console {
    void out(std::string_view /*text*/) override {}

    void error(std::string_view /*text*/) override {}
  } silence;

  const ParsedCall parsed = parse_call(call, "acv", silence);
  auto driver = open_driver(call.places, parsed.common.control);
  if (!driver) {
    console.error(fmt::format("{}: {}\n", call.name, driver.error().message));
    return 1;
  }
  return kCommand(call, **driver, console);
}

constexpr std::array kCommands{
    Command{"aoe-stat", with_driver<show_devices>},
    Command{"aoe-discover", with_driver<start_discovery>},
    Command{"aoe-interfaces", with_driver<show_or_set_interfaces>},
    Command{"aoe-revalidate", with_driver<revalidate_devices>},
    Command{"aoe-flush", with_driver<flush_devices>},
    Command{"aoe-version", with_driver<show_versions>},
    Command{"aoe-mkdevs", make_devices},
    Command{"aoe-mkshelf", make_shelf},
    Command{"aoeping", ping},
    Command{"aoecfg", config_strings},
    Command{"aoe-sancheck", check_san},
    Command{"coraid-update", with_driver<update_appliance>},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

}  // namespace aoe::compat::aoetools
