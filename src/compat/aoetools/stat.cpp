// aoe-stat: the devices of this host.
#include "compat/aoetools/commands.h"
#include "compat/aoetools/common_options.h"
#include "compat/aoetools/line_filter.h"
#include "compat/aoetools/stat_text.h"

#include <fmt/format.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace aoe::compat::aoetools {
namespace {

constexpr int kGrepFailed = 2;

// A node that somebody made by hand, and that leads to another disk.
void warn_of_wrong_node(const Call& call, const DeviceFiles& device, Console& console) {
  const std::string node = call.places.dev + "/etherd/" + device.name;

  struct stat status {};

  if (device.minor && ::stat(node.c_str(), &status) == 0 && S_ISBLK(status.st_mode) &&
      minor(status.st_rdev) != *device.minor) {
    console.error(
        fmt::format("{} Warning: device node {} has wrong minor device number\n", call.name, node));
  }
}

}  // namespace

int show_devices(const Call& call, Driver& driver, Console& console) {
  const ParsedCall parsed = parse_call(call, "", console);
  constexpr const char* kText =
      "Lists the AoE devices of this host: name, size, interfaces, payload, state.\n"
      "With a regex, as grep takes it, only lines that match.\n\n";
  if (parsed.is_answered(help_text("aoe-stat [options] [regex]", kText), console)) {
    return parsed.answered_status();
  }
  const auto filter = LineFilter::make(parsed.operands.empty() ? "." : parsed.operands.front());
  if (!filter) {
    console.error(fmt::format("{} Error: {}\n", call.name, filter.error().message));
    return kGrepFailed;
  }
  const auto devices = driver.devices();
  if (!devices) {
    console.error(fmt::format("{} Error: {}\n", call.name, devices.error().message));
    return 1;
  }
  for (const DeviceFiles& device : *devices) {
    warn_of_wrong_node(call, device, console);
  }
  bool is_any = false;
  for (const std::string& line : stat_lines(*devices)) {
    if (filter->matches(line)) {
      is_any = true;
      console.out(line + "\n");
    }
  }
  // The script ends with the status of grep, and others wait for a device by it.
  return is_any || parsed.common.strict == Strict::yes ? 0 : 1;
}

}  // namespace aoe::compat::aoetools
