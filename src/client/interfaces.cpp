#include "client/interfaces.h"

#include "os/netif.h"

#include <fmt/core.h>

#include <algorithm>

namespace aoe::client {

bool is_auto(const std::vector<std::string>& names) {
  return names.size() == 1 && names[0] == "auto";
}

Result<std::vector<std::string>> auto_interfaces() {
  AOE_TRY_ASSIGN(const auto all, os::list_interfaces());
  std::vector<std::string> names;
  for (const os::NetInterface& interface : all) {
    if (os::is_auto_candidate(interface) && names.size() < kPortsMax) {
      names.push_back(interface.name);
    }
  }
  return names;
}

Result<std::vector<std::string>> resolve_interfaces(const std::vector<std::string>& names) {
  if (names.empty()) {
    return fail_with(Errc::invalid_argument, 0, "no interface given (name one or more, or 'auto')");
  }
  if (is_auto(names)) {
    AOE_TRY_ASSIGN(auto found, auto_interfaces());
    if (found.empty()) {
      return fail_with(Errc::not_found, 0,
                       "auto: no Ethernet interface with carrier (name one explicitly)");
    }
    return found;
  }
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end()) {
    return fail_with(Errc::invalid_argument, 0, *twice + ": interface given twice");
  }
  if (names.size() > kPortsMax) {
    return fail_with(
        Errc::invalid_argument, 0,
        fmt::format("{} interfaces given, at most {} can be used", names.size(), kPortsMax));
  }
  return names;
}

}  // namespace aoe::client
