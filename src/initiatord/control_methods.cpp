#include "initiatord/control_methods.h"

#include "control/params.h"
#include "daemon/port_view.h"
#include "initiatord/daemon.h"
#include "initiatord/fuse_backend.h"
#include "initiatord/views.h"
#include "os/clock.h"
#include "protocol/aoe_frame.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

namespace aoe::initiatord {

using control::Json;

namespace {

// How long a request may wait for a device; a client that wants more asks again.
constexpr std::uint64_t kWaitMsDefault = 30'000;
constexpr std::uint64_t kWaitMsMax = 24ULL * 3600 * 1000;

DeviceView view_of(KeptDevice& device, Daemon& daemon) {
  return {device, daemon.keeper().view(device), daemon.runner(), os::monotonic_now()};
}

Result<KeptDevice*> find_device(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const DeviceAddress address, control::address_param(params, "address"));
  KeptDevice* device = daemon.keeper().find(address);
  if (device == nullptr) {
    return fail_with(Errc::not_found, 0, to_string(address) + ": no such device (see aoe list)");
  }
  return device;
}

Result<Json> handle_list(const Json& /*params*/, Daemon& daemon) {
  Json devices = Json::array();
  for (KeptDevice* device : daemon.keeper().devices()) {
    devices.push_back(summary_json(view_of(*device, daemon)));
  }
  return Json{{"devices", std::move(devices)}};
}

Result<Json> handle_show(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(KeptDevice* const device, find_device(params, daemon));
  Json show = show_json(view_of(*device, daemon));
  const DeviceOverrides& overrides = daemon.keeper().overrides();
  // Where the settings come from that the configuration does not have.
  show["settings_from"] =
      overrides.devices.contains(device->address()) ? Json(overrides.origin) : Json();
  return show;
}

Result<Json> handle_paths(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(KeptDevice* const device, find_device(params, daemon));
  return Json{{"address", to_string(device->address())},
              {"paths", paths_json(view_of(*device, daemon))}};
}

Json ports_json(Daemon& daemon) {
  Json ports = Json::array();
  for (const PortId id : daemon.interfaces().ports()) {
    ports.push_back(daemon::port_json(*daemon.runner().ports()[id.value]));
  }
  return ports;
}

Result<Json> handle_stats(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const auto address, control::optional_address_param(params, "address"));
  Json devices = Json::object();
  if (address) {
    AOE_TRY_ASSIGN(KeptDevice* const device, find_device(params, daemon));
    devices[to_string(*address)] = stats_json(view_of(*device, daemon));
    return Json{{"devices", std::move(devices)}};
  }
  for (KeptDevice* device : daemon.keeper().devices()) {
    devices[to_string(device->address())] = stats_json(view_of(*device, daemon));
  }
  return Json{{"devices", std::move(devices)},
              {"ports", ports_json(daemon)},
              {"initiator", core_json(daemon.core().stats())}};
}

Result<Json> handle_events(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const auto after, control::optional_number_param(params, "after"));
  return Json{{"events", daemon.events().after(after.value_or(0))},
              {"last_seq", daemon.events().last_seq()}};
}

Result<Json> handle_interfaces(const Json& params, Daemon& daemon) {
  // First, so that a new interface never sends larger frames.
  AOE_TRY_ASSIGN(const auto mtu_bytes, control::optional_number_param(params, "mtu_bytes"));
  if (mtu_bytes) {
    AOE_TRY_ASSIGN(const std::string interface, control::text_param(params, "interface"));
    daemon.limit_mtu(interface, *mtu_bytes);
  }
  if (const auto set = params.find("set"); set != params.end()) {
    AOE_TRY(daemon.set_interfaces(set->get<std::vector<std::string>>()));
  }
  return Json{{"wanted", daemon.interfaces().wanted()}, {"interfaces", ports_json(daemon)}};
}

// Without "devices" it only tells.
Result<Json> handle_settings(const Json& params, Daemon& daemon) {
  Json changed = Json::array();
  if (params.contains("devices")) {
    AOE_TRY_ASSIGN(DeviceOverrides overrides, parse_overrides(params));
    for (const DeviceAddress address :
         daemon.keeper().override_settings(os::monotonic_now(), std::move(overrides))) {
      changed.push_back(to_string(address));
    }
  }
  Json result = to_json(daemon.keeper().overrides());
  result["changed"] = std::move(changed);
  return result;
}

Result<Json> handle_enable(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const DeviceAddress address, control::address_param(params, "address"));
  AOE_TRY(daemon.keeper().enable(os::monotonic_now(), address));
  return Json{{"address", to_string(address)}};
}

Result<Json> handle_disable(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const DeviceAddress address, control::address_param(params, "address"));
  AOE_TRY_ASSIGN(const bool force, control::flag_param(params, "force"));
  AOE_TRY(daemon.keeper().disable(os::monotonic_now(), address, force ? Force::yes : Force::no));
  return Json{{"address", to_string(address)}};
}

Result<Json> handle_flush(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const auto address, control::optional_address_param(params, "address"));
  AOE_TRY_ASSIGN(const bool all, control::flag_param(params, "all"));
  const Instant now = os::monotonic_now();
  if (address) {
    AOE_TRY(daemon.keeper().flush_one(now, *address));
    return Json{{"flushed", {to_string(*address)}}, {"kept", Json::array()}};
  }
  const FlushReport report = daemon.keeper().flush(now, all ? FlushScope::all : FlushScope::down);
  Json flushed = Json::array();
  for (const DeviceAddress taken : report.flushed) {
    flushed.push_back(to_string(taken));
  }
  Json kept = Json::array();
  for (const FlushReport::Kept& device : report.kept) {
    kept.push_back({{"address", to_string(device.address)}, {"why", device.why}});
  }
  return Json{{"flushed", std::move(flushed)}, {"kept", std::move(kept)}};
}

// The port of that interface. Errors: not_found.
Result<PortId> port_param(const std::string& interface, Daemon& daemon) {
  for (const PortId id : daemon.interfaces().ports()) {
    if (daemon.runner().ports()[id.value]->name() == interface) {
      return id;
    }
  }
  return fail_with(Errc::not_found, 0, interface + ": not in use (see aoe interfaces)");
}

// One address, or all shelves, slots or both of them; on all interfaces or one.
Result<Json> handle_discover(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const auto address, control::optional_address_param(params, "address"));
  AOE_TRY_ASSIGN(const auto shelf, control::optional_number_param(params, "shelf"));
  AOE_TRY_ASSIGN(const auto slot, control::optional_number_param(params, "slot"));
  AOE_TRY_ASSIGN(const auto interface, control::optional_text_param(params, "interface"));
  if (shelf.value_or(0) >= protocol::kAllShelves.value ||
      slot.value_or(0) >= protocol::kAllSlots.value) {
    return fail_with(Errc::invalid_argument, 0, "discover: shelf up to 65534, slot up to 254");
  }
  DeviceAddress wanted =
      address.value_or(DeviceAddress{protocol::kAllShelves, protocol::kAllSlots});
  if (shelf) {
    wanted.shelf = Shelf{static_cast<std::uint16_t>(*shelf)};
  }
  if (slot) {
    wanted.slot = Slot{static_cast<std::uint8_t>(*slot)};
  }
  std::optional<PortId> only;
  if (interface) {
    AOE_TRY_ASSIGN(only, port_param(*interface, daemon));
  }
  daemon.core().discover(wanted, only);
  return Json::object();
}

// What the text files of the Linux driver would say, for commands that were made for them; also
// where no directory is mounted.
Result<Json> handle_driver_files(const Json& /*params*/, Daemon& daemon) {
  constexpr std::array kFiles{
      std::pair("state", fuse::InfoFile::state), std::pair("mac", fuse::InfoFile::mac),
      std::pair("netif", fuse::InfoFile::netif), std::pair("payload", fuse::InfoFile::payload),
      std::pair("firmware-version", fuse::InfoFile::firmware_version)};
  FuseBackend backend(daemon);
  Json devices = Json::array();
  for (auto address = backend.next_volume(std::nullopt); address;
       address = backend.next_volume(address)) {
    Json device{{"name", to_string(*address)}, {"size", backend.volume(*address)->sectors}};
    for (const auto& [name, file] : kFiles) {
      std::string text = backend.read_info(*address, file);
      device[name] = text.substr(0, text.find('\n'));
    }
    devices.push_back(std::move(device));
  }
  return Json{{"version", "aoekit-" AOE_VERSION}, {"devices", std::move(devices)}};
}

Result<Json> handle_reload(const Json& /*params*/, Daemon& daemon) {
  AOE_TRY_ASSIGN(const std::string done, daemon.reload());
  return Json{{"summary", done}};
}

Result<Json> handle_stop(const Json& params, Daemon& daemon) {
  AOE_TRY_ASSIGN(const bool force, control::flag_param(params, "force"));
  AOE_TRY(daemon.stop(force ? Force::yes : Force::no));
  return Json::object();
}

Result<Waiters::Waiter> waiter_of(const Json& params, Waiters::Until until) {
  AOE_TRY_ASSIGN(const DeviceAddress address, control::address_param(params, "address"));
  AOE_TRY_ASSIGN(const auto timeout_ms, control::optional_number_param(params, "timeout_ms"));
  const Duration patience = Duration::milliseconds(
      static_cast<std::int64_t>(std::min(timeout_ms.value_or(kWaitMsDefault), kWaitMsMax)));
  const Instant now = os::monotonic_now();
  return Waiters::Waiter{.address = address,
                         .until = until,
                         .since = now,
                         .deadline = now + patience,
                         .patience = patience,
                         .reply = {}};
}

// A device that nobody has found yet may be waited for, but not one that would not be opened.
Result<void> check_waitable(DeviceAddress address, Waiters::Until until, Daemon& daemon) {
  if (daemon.keeper().find(address) != nullptr) {
    return {};
  }
  if (until == Waiters::Until::up && daemon.opens_found_devices()) {
    return {};
  }
  return fail_with(Errc::not_found, 0, to_string(address) + ": no such device (see aoe list)");
}

void handle_wait(const Json& params, control::Reply reply, Daemon& daemon, Waiters::Until until) {
  auto waiter = waiter_of(params, until);
  if (!waiter) {
    reply.send(fail(waiter.error()));
    return;
  }
  if (auto waitable = check_waitable(waiter->address, until, daemon); !waitable) {
    reply.send(fail(waitable.error()));
    return;
  }
  waiter->reply = std::move(reply);
  daemon.wait_for(*std::move(waiter));
}

void handle_attach(const Json& params, control::Reply reply, Daemon& daemon) {
  const auto wish = [&]() -> Result<Attacher::Wish> {
    AOE_TRY_ASSIGN(const DeviceAddress address, control::address_param(params, "address"));
    AOE_TRY_ASSIGN(const bool read_only, control::flag_param(params, "read_only"));
    return Attacher::Wish{
        .address = address,
        .via = params.value("via", "auto"),
        .access = read_only ? block::Access::read_only : block::Access::read_write};
  }();
  auto attacher = daemon.attacher();
  if (!wish || !attacher) {
    reply.send(fail(wish ? attacher.error() : wish.error()));
    return;
  }
  (*attacher)->attach(os::monotonic_now(), *wish, std::move(reply));
}

void handle_detach(const Json& params, control::Reply reply, Daemon& daemon) {
  const auto address = control::address_param(params, "address");
  auto attacher = daemon.attacher();
  if (!address || !attacher) {
    reply.send(fail(address ? attacher.error() : address.error()));
    return;
  }
  (*attacher)->detach(*address, std::move(reply));
}

}  // namespace

void add_control_methods(control::Server& server, Daemon& daemon) {
  const auto add = [&server, &daemon](const char* name,
                                      Result<Json> (*handler)(const Json&, Daemon&)) {
    server.add_method(name,
                      [handler, &daemon](const Json& params) { return handler(params, daemon); });
  };
  add("initiator.list", handle_list);
  add("initiator.show", handle_show);
  add("initiator.paths", handle_paths);
  add("initiator.stats", handle_stats);
  add("initiator.events", handle_events);
  add("initiator.interfaces", handle_interfaces);
  add("initiator.settings", handle_settings);
  add("initiator.enable", handle_enable);
  add("initiator.disable", handle_disable);
  add("initiator.flush", handle_flush);
  add("initiator.discover", handle_discover);
  add("initiator.driver_files", handle_driver_files);
  add("initiator.reload", handle_reload);
  add("initiator.stop", handle_stop);
  server.add_deferred_method("initiator.wait", [&daemon](const Json& params, control::Reply reply) {
    handle_wait(params, std::move(reply), daemon, Waiters::Until::up);
  });
  server.add_deferred_method("initiator.attach",
                             [&daemon](const Json& params, control::Reply reply) {
                               handle_attach(params, std::move(reply), daemon);
                             });
  server.add_deferred_method("initiator.detach",
                             [&daemon](const Json& params, control::Reply reply) {
                               handle_detach(params, std::move(reply), daemon);
                             });
  server.add_deferred_method(
      "initiator.revalidate", [&daemon](const Json& params, control::Reply reply) {
        const auto address = control::address_param(params, "address");
        if (const auto attacher = daemon.attacher(); address && attacher) {
          (*attacher)->update(*address);
        }
        handle_wait(params, std::move(reply), daemon, Waiters::Until::identified);
      });
}

}  // namespace aoe::initiatord
