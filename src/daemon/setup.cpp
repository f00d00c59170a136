#include "daemon/setup.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace aoe::daemon {

Result<std::unique_ptr<control::Server>> open_control(runtime::EventLoop& loop,
                                                      const config::DaemonConfig& config) {
  // What goes wrong here shows when the socket is made, with a better message.
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(config.control_path).parent_path(),
                                      ignored);
  control::Server::Options options;
  options.path = config.control_path;
  return control::Server::open(loop, std::move(options));
}

os::PrivilegeDrop privilege_drop(const config::DaemonConfig& config) {
  os::PrivilegeDrop drop;
  drop.user = config.user;
  drop.group = config.group;
  drop.supplementary = os::SupplementaryGroups::of_user;
  return drop;
}

runtime::EventLoop::Options polling(const config::DaemonConfig& config) {
  return config.busy_poll ? runtime::EventLoop::Options{.busy_poll = *config.busy_poll}
                          : runtime::EventLoop::kAdaptive;
}

}  // namespace aoe::daemon
