// aoe-initiatord, over its control socket.
#include "base/ids.h"
#include "compat/aoetools/driver.h"
#include "control/client.h"
#include "os/netif.h"

#include <fmt/format.h>

#include <utility>

namespace aoe::compat::aoetools {
namespace {

using control::Json;

// Revalidation waits for the device's answer, a second at most for one that is there.
constexpr Duration kPatience = Duration::seconds(30);

std::optional<std::string> text_member(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? std::optional(member->get<std::string>())
                                                       : std::nullopt;
}

class DaemonDriver final : public Driver {
 public:
  explicit DaemonDriver(std::unique_ptr<control::Client> client) : client_(std::move(client)) {}

  Result<std::vector<DeviceFiles>> devices() override {
    AOE_TRY_ASSIGN(const Json result, client_->call("initiator.driver_files", Json::object()));
    std::vector<DeviceFiles> devices;
    for (const Json& device : result.value("devices", Json::array())) {
      devices.push_back({.name = device.value("name", ""),
                         .minor = {},
                         .sectors = device.value("size", std::uint64_t{0}),
                         .netif = text_member(device, "netif"),
                         .state = text_member(device, "state"),
                         .payload = text_member(device, "payload")});
    }
    return devices;
  }

  // It answers, so it can.
  Result<void> check(Control /*control*/) override { return {}; }

  Result<void> discover() override { return call("initiator.discover", Json::object()); }

  Result<void> revalidate(const std::string& device) override {
    return call("initiator.revalidate", {{"address", device}});
  }

  Result<void> flush(const std::string& what) override {
    if (what.empty() || what == "all") {
      return call("initiator.flush", {{"all", !what.empty()}});
    }
    return call("initiator.flush", {{"address", what}});
  }

  Result<std::string> interfaces() override {
    AOE_TRY_ASSIGN(const Json result, client_->call("initiator.interfaces", Json::object()));
    // What was set, as the kernel's driver shows it; "auto" as what it means now.
    std::vector<std::string> names = result.value("wanted", std::vector<std::string>{});
    if (names == std::vector<std::string>{"auto"}) {
      names.clear();
      for (const Json& port : result.value("interfaces", Json::array())) {
        names.push_back(port.value("interface", ""));
      }
    }
    return fmt::format("{}\n", fmt::join(names, " "));
  }

  bool is_interface(const std::string& name) override {
    return os::query_interface(name).has_value();
  }

  Result<void> set_interfaces(const std::vector<std::string>& names) override {
    // The daemon never takes every interface that there is.
    Json set = names;
    if (names.empty()) {
      set = Json::array({"auto"});
    }
    return call("initiator.interfaces", {{"set", std::move(set)}});
  }

  std::optional<std::string> running_version() override {
    const auto result = client_->call("initiator.driver_files", Json::object());
    return result ? text_member(*result, "version") : std::nullopt;
  }

 private:
  [[nodiscard]] Result<void> call(const char* method, const Json& params) {
    AOE_TRY(client_->call(method, params));
    return {};
  }

  std::unique_ptr<control::Client> client_;
};

}  // namespace

Result<std::unique_ptr<Driver>> connect_daemon_driver(const std::string& control) {
  AOE_TRY_ASSIGN(auto client, control::Client::connect(control, {.timeout = kPatience}));
  return std::make_unique<DaemonDriver>(std::move(client));
}

}  // namespace aoe::compat::aoetools
