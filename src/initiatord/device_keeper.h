// The devices that the daemon keeps: which there are, which are open, who may take them away.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "config/reload_plan.h"
#include "initiator/initiator_core.h"
#include "initiatord/config.h"
#include "initiatord/device_overrides.h"
#include "initiatord/device_stats.h"
#include "initiatord/device_users.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::initiatord {

struct KeptDevice {
  explicit KeptDevice(DeviceConfig settings)
      : configured(std::move(settings)), config(configured), stats(Duration::seconds(2)) {}

  DeviceConfig configured;                // what the configuration says
  DeviceConfig config;                    // what is in force: with what is overridden
  std::optional<initiator::DeviceId> id;  // while it is open in the core
  bool enabled = true;
  bool was_up = false;  // since it was opened
  Instant changed{};    // when it last came up or went down
  DeviceUsers users;
  DeviceStats stats;

  [[nodiscard]] DeviceAddress address() const { return config.address; }

  // Written in the configuration, not only found.
  [[nodiscard]] bool is_configured() const { return !config.origin.empty(); }
};

enum class Force : bool { no, yes };

// Which devices a flush takes.
enum class FlushScope : std::uint8_t {
  down,  // those that are down
  all,
};

struct FlushReport {
  struct Kept {
    DeviceAddress address;
    std::string why;
  };

  std::vector<DeviceAddress> flushed;
  std::vector<Kept> kept;  // would have been taken, were they not in use
};

// Opens what is configured, and what answers when the policy says so, and keeps it open whatever
// happens to its target. Holds at most `devices_max`: when it is full, a device that was only found
// and never came up makes room, so that forged answers cannot keep real devices out.
//
// Lives on the loop's thread; `core` outlives it.
class DeviceKeeper {
 public:
  struct Options {
    std::uint32_t devices_max = 0;  // as the core's
  };

  DeviceKeeper(initiator::InitiatorCore& core, Options options) : core_(core), options_(options) {}

  // Opens what `config` names. Once, at the start.
  void start(Instant now, const InitiatorConfig& config);

  // What the core told. Finds of devices that are not kept open them.
  void handle_event(Instant now, const initiator::Event& event);

  // Keeps the device whatever the policy: somebody uses it already. nullptr when there is no room.
  KeptDevice* keep(Instant now, DeviceAddress address);

  // Which disk the users of a kept device had when another process kept it: see
  // InitiatorCore::expect_disk.
  void expect_disk(const KeptDevice& device, const protocol::IdentifyModel& disk);

  // Closes all devices: their requests end with `cancelled`.
  void close_all(Instant now);

  // Opens what answered since the last call, as far as it is not kept: a target that the core knows
  // is no find for it, but it is one for us when its device was flushed, or had no room.
  void look_for_answers(Instant now);

  // nullptr when it is not kept.
  [[nodiscard]] KeptDevice* find(DeviceAddress address);
  // Of the device that has this id in the core.
  [[nodiscard]] KeptDevice* find(initiator::DeviceId id);

  // The first device, or the one that follows in the order of addresses; nullptr behind the last.
  [[nodiscard]] KeptDevice* next(std::optional<DeviceAddress> after);

  // The core's view while it is open, else nullptr.
  [[nodiscard]] const initiator::Device* view(const KeptDevice& device) const;

  // Sorted by address. Pointers stay good until the device is flushed or reconfigured away.
  [[nodiscard]] std::vector<KeptDevice*> devices();

  // Errors: not_found, no_space.
  [[nodiscard]] Result<void> enable(Instant now, DeviceAddress address);
  // Closes it and does not open it again until enable(). Errors: not_found, busy (unless forced).
  [[nodiscard]] Result<void> disable(Instant now, DeviceAddress address, Force force);

  // Closes devices that nobody uses and forgets what was known of them: a target that answers later
  // is a new device, whatever disk it has. Configured ones are looked for at once.
  [[nodiscard]] FlushReport flush(Instant now, FlushScope scope);
  // Errors: not_found, busy.
  [[nodiscard]] Result<void> flush_one(Instant now, DeviceAddress address);

  // Goes over to another configuration; what is `unchanged` in the plan is not touched. Returns
  // what could not be done now ("e7.1: ...").
  [[nodiscard]] std::vector<std::string> reconfigure(Instant now, const config::ReloadPlan& plan,
                                                     const InitiatorConfig& wanted);

  // Replaces all overrides. Returns the devices whose settings changed by that, sorted; others are
  // not touched. Requests under way are not disturbed: their frames are limited from now on.
  [[nodiscard]] std::vector<DeviceAddress> override_settings(Instant now,
                                                             DeviceOverrides overrides);

  [[nodiscard]] const DeviceOverrides& overrides() const { return overrides_; }

  // "e7.1: attached as /dev/loop0; e7.2: ..": empty when no user needs this daemon.
  [[nodiscard]] std::string users() const;

 private:
  // The device of that configuration, opened if it is enabled; nullptr when there is no room.
  KeptDevice* add(Instant now, DeviceConfig config);
  void add_found(Instant now, DeviceAddress address);
  [[nodiscard]] Result<void> open(Instant now, KeptDevice& device);
  void close(Instant now, KeptDevice& device);
  void erase(Instant now, DeviceAddress address);
  bool make_room(Instant now);
  // Goes over to the settings of `config`; its users notice nothing, unless they forbid to close
  // it.
  void adopt(Instant now, KeptDevice& device, const DeviceConfig& config,
             std::vector<std::string>& trouble);
  void flush_device(Instant now, KeptDevice& device);

  initiator::InitiatorCore& core_;
  Options options_;
  OpenPolicy policy_ = OpenPolicy::found;
  DeviceConfig defaults_;  // of devices that the configuration does not name
  DeviceOverrides overrides_;
  Instant answers_seen_{};
  std::map<DeviceAddress, std::unique_ptr<KeptDevice>> devices_;
  std::vector<KeptDevice*> by_id_;
};

}  // namespace aoe::initiatord
