// The half of Daemon that makes one target of two: of the one that stops and of the one that starts
// in its place.
#include "control/client.h"
#include "control/params.h"
#include "os/clock.h"
#include "targetd/config_dump.h"
#include "targetd/daemon.h"

#include <fmt/format.h>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace aoe::targetd {

std::optional<target::Handover> Daemon::fetch_handover(DeviceAddress address,
                                                       const HoldQuestion& question) const {
  const auto give_up = [address](const Error& error) -> std::optional<target::Handover> {
    spdlog::warn("{}: starts as after a crash: {}", to_string(address), error.message);
    return std::nullopt;
  };
  const auto bytes = states_->load(address, StateFile::handover);
  // Before anything is served: from then on it is not true any more.
  if (const auto removed = states_->remove(address, StateFile::handover); !removed) {
    return give_up(removed.error());
  }
  if (!bytes) {
    return give_up(bytes.error());
  }
  if (!*bytes || !may_take_over(question)) {
    return std::nullopt;
  }
  auto handover = target::decode_handover(address, **bytes);
  if (!handover) {
    return give_up(handover.error());
  }
  return std::move(*handover);
}

void Daemon::leave_handover(DeviceAddress address, ExportId id) const {
  const auto left = shards_->of(address).core().hand_over(os::monotonic_now(), id);
  const auto saved =
      left ? states_->save(address, StateFile::handover, target::encode_handover(address, *left))
           : Result<void>(fail(left.error()));
  if (!saved) {
    // Initiators then see another target at the address, as after a crash.
    spdlog::warn("{}", saved.error().message);
  }
}

std::string Daemon::hand_over_to_successor() {
  TargetConfig added = config_;
  std::erase_if(added.exports, [](const ExportConfig& item) { return !item.is_added_at_run_time; });
  spdlog::info("another daemon takes over: stopping");
  // The answer has to leave first.
  worker_->post([] {}, [this] { begin_stop(daemon::kExitOk); });
  return added.exports.empty() ? std::string() : dump(added);
}

Result<void> Daemon::replace_running() {
  auto client = control::Client::connect(config_.control_path, {});
  if (!client && client.error().code == Errc::unavailable) {
    spdlog::info("--replace: no daemon runs at {}", config_.control_path);
    return {};
  }
  if (!client) {
    return fail(std::move(client).error());
  }
  AOE_TRY_ASSIGN(const control::Json left,
                 (*client)->call("target.replace", control::Json::object()));
  AOE_TRY_ASSIGN(const std::string text, control::text_param(left, "config"));
  // It ends when it has answered what it took: then its end of the connection closes.
  (void)(*client)->follow([](const control::Json&) { return control::Client::FollowStep::more; });
  if (text.empty()) {
    return {};
  }
  LoadedConfig loaded = parse_config_text(text, "target export");
  for (ExportConfig& item : loaded.config.exports) {
    if (find_config(item.address) == nullptr) {
      item.is_added_at_run_time = true;
      config_.exports.push_back(std::move(item));
    }
  }
  if (!loaded.diagnostics.ok()) {
    spdlog::warn("--replace: not taken over: {}", config::joined_errors(loaded.diagnostics));
  }
  return {};
}

}  // namespace aoe::targetd
