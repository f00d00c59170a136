#include "initiatord/interface_set.h"

#include "client/interfaces.h"
#include "net/port_kinds.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace aoe::initiatord {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool InterfaceSet::is_used(const std::string& name) const {
  return std::any_of(ports_.begin(), ports_.end(),
                     [&](PortId id) { return runner_.ports()[id.value]->name() == name; });
}

Result<InterfaceSet::Outcome> InterfaceSet::use(const std::vector<std::string>& names,
                                                bool keep_others) {
  Outcome outcome;
  client::CoreRunner::Ports opened;
  for (const std::string& name : names) {
    if (!is_used(name)) {
      AOE_TRY_ASSIGN(auto port, net::open_port(kind_,
                                               {.interface = name,
                                                .filter = net::FrameFilter::responses,
                                                .missing = net::MissingInterface::wait},
                                               without_xdp_));
      opened.push_back(std::move(port));
    }
  }
  for (auto id = ports_.begin(); id != ports_.end();) {
    const std::string name = runner_.ports()[id->value]->name();
    if (keep_others || contains(names, name)) {
      ++id;
      continue;
    }
    runner_.remove_port(*id);
    outcome.removed.push_back(name);
    id = ports_.erase(id);
  }
  for (auto& port : opened) {
    const std::string name = port->name();
    AOE_TRY_ASSIGN(const PortId id, runner_.add_port(std::move(port)));
    ports_.push_back(id);
    outcome.added.push_back(name);
  }
  return outcome;
}

Result<InterfaceSet::Outcome> InterfaceSet::set(const std::vector<std::string>& names) {
  std::vector<std::string> resolved;
  if (client::is_auto(names)) {
    // None at the moment is no error: the daemon may start before the links are up.
    AOE_TRY_ASSIGN(resolved, client::auto_interfaces());
  } else if (!names.empty()) {
    AOE_TRY_ASSIGN(resolved, client::resolve_interfaces(names));
  }
  AOE_TRY_ASSIGN(Outcome outcome, use(resolved, false));
  wanted_ = names;
  // From now on there is work that must go on.
  without_xdp_ = net::WithoutXdp::use_packet;
  return outcome;
}

Result<InterfaceSet::Outcome> InterfaceSet::follow_links() {
  if (!client::is_auto(wanted_)) {
    return Outcome{};
  }
  AOE_TRY_ASSIGN(const auto names, client::auto_interfaces());
  return use(names, true);
}

}  // namespace aoe::initiatord
