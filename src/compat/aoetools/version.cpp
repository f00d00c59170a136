// aoe-version: which versions of the AoE software this host has.
#include "compat/aoetools/commands.h"
#include "compat/aoetools/common_options.h"
#include "compat/aoetools/module_info.h"

#include <fmt/format.h>

namespace aoe::compat::aoetools {
namespace {

// That of the aoetools whose habits these commands have.
constexpr const char* kAoetools = "36";

}  // namespace

int show_versions(const Call& call, Driver& driver, Console& console) {
  const ParsedCall parsed = parse_call(call, "", console);
  constexpr const char* kText =
      "Shows the versions of these tools, of the driver that is installed and of the one that "
      "runs.\n\n";
  if (parsed.is_answered(help_text("aoe-version [options]", kText), console)) {
    return parsed.answered_status();
  }
  const auto running = driver.running_version();
  std::string installed = installed_version(module_info());
  if (installed.empty()) {
    // What runs as a daemon of ours is installed, too.
    installed = running && running->starts_with("aoekit") ? *running : "(unknown)";
  }
  const auto line = [&](const char* what, std::string_view version) {
    console.out(fmt::format("{:>22}:\t{}\n", what, version));
  };
  line("aoetools", kAoetools);
  line("installed aoe driver", installed);
  line("running aoe driver", running.value_or("(none)"));
  return 0;
}

}  // namespace aoe::compat::aoetools
