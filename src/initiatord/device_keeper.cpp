#include "initiatord/device_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aoe::initiatord {

using initiator::EventKind;

namespace {

auto no_such_device(DeviceAddress address) {
  return fail_with(Errc::not_found, 0, to_string(address) + ": no such device (see aoe list)");
}

auto in_use(const KeptDevice& device, const char* what) {
  return fail_with(
      Errc::busy, 0,
      fmt::format("{}: {}: {}", to_string(device.address()), what, to_string(device.users)));
}

initiator::DeviceSettings settings_of(const DeviceConfig& config) {
  initiator::DeviceSettings settings;
  settings.access = config.access == DeviceAccess::read_only
                        ? initiator::DeviceSettings::Access::read_only
                        : initiator::DeviceSettings::Access::read_write;
  settings.deadline = config.timeout;
  settings.loss = {.on_path_loss = config.on_path_loss,
                   .fast_io_fail = config.fast_io_fail,
                   .device_loss = config.device_loss};
  settings.pinned_macs = config.macs;
  settings.pinned_serial = config.serial;
  settings.instances = config.instances;
  settings.policy = config.policy;
  settings.payload_sectors_max = config.payload_bytes / kSectorBytes;
  settings.window_max = config.window_frames;
  return settings;
}

}  // namespace

// --- which there are ---

void DeviceKeeper::start(Instant now, const InitiatorConfig& config) {
  policy_ = config.open;
  defaults_ = config.defaults;
  for (const DeviceConfig& device : config.devices) {
    static_cast<void>(add(now, device));
  }
}

KeptDevice* DeviceKeeper::find(DeviceAddress address) {
  const auto found = devices_.find(address);
  return found == devices_.end() ? nullptr : found->second.get();
}

KeptDevice* DeviceKeeper::find(initiator::DeviceId id) {
  return id.value < by_id_.size() ? by_id_[id.value] : nullptr;
}

KeptDevice* DeviceKeeper::next(std::optional<DeviceAddress> after) {
  const auto found = after ? devices_.upper_bound(*after) : devices_.begin();
  return found == devices_.end() ? nullptr : found->second.get();
}

const initiator::Device* DeviceKeeper::view(const KeptDevice& device) const {
  return device.id ? core_.device(*device.id) : nullptr;
}

std::vector<KeptDevice*> DeviceKeeper::devices() {
  std::vector<KeptDevice*> all;
  all.reserve(devices_.size());
  for (const auto& [address, device] : devices_) {
    all.push_back(device.get());
  }
  return all;
}

std::string DeviceKeeper::users() const {
  std::string all;
  for (const auto& [address, device] : devices_) {
    if (device->users.need_daemon()) {
      all += fmt::format("{}{}: {}", all.empty() ? "" : "; ", to_string(address),
                         to_string(device->users));
    }
  }
  return all;
}

KeptDevice* DeviceKeeper::add(Instant now, DeviceConfig config) {
  if (devices_.size() >= options_.devices_max && !make_room(now)) {
    return nullptr;
  }
  const DeviceAddress address = config.address;
  auto device = std::make_unique<KeptDevice>(std::move(config));
  device->config = overrides_.apply(device->configured);
  device->enabled = device->config.enabled;
  device->changed = now;
  KeptDevice& added = *(devices_[address] = std::move(device));
  if (added.enabled) {
    // There is room: the core has as many places as this table.
    static_cast<void>(open(now, added));
  }
  return &added;
}

bool DeviceKeeper::make_room(Instant now) {
  const auto oldest =
      std::min_element(devices_.begin(), devices_.end(), [](const auto& a, const auto& b) {
        const auto rank = [](const KeptDevice& device) {
          return std::pair(
              device.is_configured() || device.was_up || device.users.any() || !device.enabled,
              device.changed);
        };
        return rank(*a.second) < rank(*b.second);
      });
  if (oldest == devices_.end() || oldest->second->is_configured() || oldest->second->was_up ||
      oldest->second->users.any() || !oldest->second->enabled) {
    return false;
  }
  erase(now, oldest->first);
  return true;
}

Result<void> DeviceKeeper::open(Instant now, KeptDevice& device) {
  if (device.id) {
    return {};
  }
  const auto id = core_.open_device(now, device.address(), settings_of(device.config));
  if (!id) {
    return fail_with(Errc::no_space, 0,
                     fmt::format("{}: open: {} devices are open, the most that can be",
                                 to_string(device.address()), options_.devices_max));
  }
  device.id = *id;
  device.was_up = false;
  device.changed = now;
  if (id->value >= by_id_.size()) {
    by_id_.resize(id->value + std::size_t{1});
  }
  by_id_[id->value] = &device;
  return {};
}

void DeviceKeeper::close(Instant now, KeptDevice& device) {
  if (!device.id) {
    return;
  }
  core_.close_device(now, *device.id);
  by_id_[device.id->value] = nullptr;
  device.id.reset();
  device.changed = now;
}

void DeviceKeeper::erase(Instant now, DeviceAddress address) {
  const auto found = devices_.find(address);
  close(now, *found->second);
  devices_.erase(found);
}

void DeviceKeeper::handle_event(Instant now, const initiator::Event& event) {
  switch (event.kind) {
    case EventKind::target_found:
      add_found(now, event.address);
      return;
    case EventKind::device_up:
    case EventKind::device_down:
      if (KeptDevice* device = find(event.device); device != nullptr) {
        device->was_up = device->was_up || event.kind == EventKind::device_up;
        device->changed = now;
      }
      return;
    default:
      return;
  }
}

void DeviceKeeper::add_found(Instant now, DeviceAddress address) {
  if (policy_ == OpenPolicy::found && find(address) == nullptr) {
    static_cast<void>(add(now, found_device(defaults_, address)));
  }
}

KeptDevice* DeviceKeeper::keep(Instant now, DeviceAddress address) {
  KeptDevice* device = find(address);
  return device != nullptr ? device : add(now, found_device(defaults_, address));
}

void DeviceKeeper::expect_disk(const KeptDevice& device, const protocol::IdentifyModel& disk) {
  if (device.id) {
    core_.expect_disk(*device.id, disk);
  }
}

void DeviceKeeper::close_all(Instant now) {
  for (const auto& [address, device] : devices_) {
    close(now, *device);
  }
}

void DeviceKeeper::look_for_answers(Instant now) {
  for (const initiator::TargetRecord& record : core_.targets()) {
    if (record.seen > answers_seen_) {
      add_found(now, record.address);
    }
  }
  answers_seen_ = now;
}

// --- enable, disable, flush ---

Result<void> DeviceKeeper::enable(Instant now, DeviceAddress address) {
  KeptDevice* device = find(address);
  if (device == nullptr) {
    return no_such_device(address);
  }
  device->enabled = true;
  return open(now, *device);
}

Result<void> DeviceKeeper::disable(Instant now, DeviceAddress address, Force force) {
  KeptDevice* device = find(address);
  if (device == nullptr) {
    return no_such_device(address);
  }
  if (force == Force::no && device->users.any()) {
    return in_use(*device, "disable");
  }
  device->enabled = false;
  close(now, *device);
  return {};
}

void DeviceKeeper::flush_device(Instant now, KeptDevice& device) {
  // What is disabled or configured is remembered for that, and only its state goes.
  if (!device.enabled || device.is_configured()) {
    close(now, device);
    if (device.enabled) {
      static_cast<void>(open(now, device));
    }
    return;
  }
  erase(now, device.address());
}

Result<void> DeviceKeeper::flush_one(Instant now, DeviceAddress address) {
  KeptDevice* device = find(address);
  if (device == nullptr) {
    return no_such_device(address);
  }
  if (device->users.any()) {
    return in_use(*device, "flush");
  }
  flush_device(now, *device);
  return {};
}

FlushReport DeviceKeeper::flush(Instant now, FlushScope scope) {
  FlushReport report;
  for (KeptDevice* device : devices()) {
    const initiator::Device* open = view(*device);
    const bool is_up = open != nullptr && open->is_up();
    if (open == nullptr || (scope == FlushScope::down && is_up)) {
      continue;
    }
    const DeviceAddress address = device->address();
    if (device->users.any()) {
      report.kept.push_back({address, to_string(device->users)});
      continue;
    }
    flush_device(now, *device);
    report.flushed.push_back(address);
  }
  return report;
}

// --- another configuration ---

void DeviceKeeper::adopt(Instant now, KeptDevice& device, const DeviceConfig& config,
                         std::vector<std::string>& trouble) {
  const bool was_enabled = device.config.enabled;
  device.configured = config;
  device.config = overrides_.apply(config);
  if (device.id) {
    core_.change_settings(now, *device.id, settings_of(device.config));
  }
  if (was_enabled == config.enabled) {
    return;
  }
  const auto done =
      config.enabled ? enable(now, config.address) : disable(now, config.address, Force::no);
  if (!done) {
    trouble.push_back(done.error().message);
  }
}

std::vector<std::string> DeviceKeeper::reconfigure(Instant now, const config::ReloadPlan& plan,
                                                   const InitiatorConfig& wanted) {
  std::vector<std::string> trouble;
  policy_ = wanted.open;
  defaults_ = wanted.defaults;
  for (KeptDevice* device : devices()) {
    if (!device->is_configured()) {
      adopt(now, *device, found_device(defaults_, device->address()), trouble);
    }
  }
  for (const DeviceAddress address : plan.removed) {
    KeptDevice* device = find(address);
    if (device != nullptr && (policy_ == OpenPolicy::found || device->users.any())) {
      // Found, it would be opened all the same.
      adopt(now, *device, found_device(defaults_, address), trouble);
    }
  }
  for (const config::ChangedItem& item : plan.changed) {
    if (KeptDevice* device = find(item.address); device != nullptr) {
      adopt(now, *device, *find_device(wanted, item.address), trouble);
    }
  }
  for (const DeviceAddress address : plan.added) {
    const DeviceConfig& config = *find_device(wanted, address);
    if (KeptDevice* device = find(address); device != nullptr) {
      adopt(now, *device, config, trouble);
    } else if (add(now, config) == nullptr) {
      trouble.push_back(fmt::format("{}: no room for another device", to_string(address)));
    }
  }
  if (policy_ == OpenPolicy::configured) {
    for (const KeptDevice* device : devices()) {
      const bool is_wanted = find_device(wanted, device->address()) != nullptr;
      if (!is_wanted && !device->users.any()) {
        erase(now, device->address());
      }
    }
  }
  return trouble;
}

// --- overrides ---

std::vector<DeviceAddress> DeviceKeeper::override_settings(Instant now, DeviceOverrides overrides) {
  const DeviceOverrides before = std::exchange(overrides_, std::move(overrides));
  std::vector<DeviceAddress> changed;
  for (const auto& [address, device] : devices_) {
    const auto was = before.devices.find(address);
    const auto is = overrides_.devices.find(address);
    if ((was == before.devices.end() ? DeviceOverride{} : was->second) ==
        (is == overrides_.devices.end() ? DeviceOverride{} : is->second)) {
      continue;
    }
    device->config = overrides_.apply(device->configured);
    if (device->id) {
      core_.change_settings(now, *device->id, settings_of(device->config));
    }
    changed.push_back(address);
  }
  return changed;
}

}  // namespace aoe::initiatord
