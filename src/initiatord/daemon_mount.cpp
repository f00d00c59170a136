// The daemon's mounted directory: made or taken over, served, handed over, ended.
#include "initiatord/daemon.h"
#include "initiatord/device_uri.h"
#include "initiatord/event_text.h"
#include "os/clock.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <memory>
#include <utility>

namespace aoe::initiatord {
namespace {

// The name of the mount's descriptor while the service manager keeps it.
constexpr const char* kKeptMount = "etherd";
// How long requests that are under way have when the next process goes on; the rest is asked again.
constexpr Duration kHandOverTime = Duration::seconds(5);

}  // namespace

Result<void> Daemon::open_mount() {
  if (config_.mount.empty()) {
    return {};
  }
  fuse::Server::Options server;
  static_assert(fuse::Server::Options().io_bytes_max == kRequestSectorsMax * kSectorBytes);
  // In whole pages.
  server.io_bytes_max =
      config_.request_sectors_max / kRequestSectorsMin * kRequestSectorsMin * kSectorBytes;
  const os::FuseMount::Options options{
      .directory = config_.mount, .type = "aoekit", .read_bytes_max = server.io_bytes_max};
  if (os::Fd kept = notifier_.take_kept_fd(kKeptMount)) {
    if (auto adopted = os::FuseMount::adopt(options, std::move(kept)); adopted) {
      mount_ = *std::move(adopted);
      takes_over_ = true;
      // Requests may be as large as the process allowed that made the mount.
      server = {};
    } else {
      notifier_.forget_fd(kKeptMount);
      spdlog::warn("{}: not taken over: {}", config_.mount, adopted.error().message);
    }
  }
  if (!takes_over_) {
    AOE_TRY_ASSIGN(mount_, os::FuseMount::mount(options));
  }
  if (notifier_.keeps_fds()) {
    notifier_.keep_fd(mount_->device().get(), kKeptMount);
    mount_->stay_mounted(true);
  }
  AOE_TRY_ASSIGN(fuse_, fuse::Server::create(mount_->device().get(), fuse_backend_, server));
  return {};
}

Result<void> Daemon::begin_serving() {
  if (fuse_ == nullptr) {
    return {};
  }
  if (takes_over_) {
    takeover_.emplace(os::monotonic_now(), mount_->directory(), *keeper_, *fuse_,
                      Takeover::Times{.frame_life = initiator::CoreOptions().frame_life_max,
                                      .patience = kTimeoutDefault});
    return {};
  }
  return serve_mount();
}

Result<void> Daemon::serve_mount() {
  return runner_->loop().add_fd(fuse_->wait_fd(), EPOLLIN | EPOLLET,
                                [this](std::uint32_t) { fuse_->handle_readable(); });
}

void Daemon::finish_takeover(Instant now) {
  if (!takeover_->is_ready(now, *keeper_)) {
    for (const DeviceAddress address : takeover_->devices()) {
      runner_->core().discover(address);
    }
    return;
  }
  spdlog::info("{}: taken over with {} devices in use", mount_->directory(),
               takeover_->devices().size());
  takeover_.reset();
  if (!fuse_->ask_again()) {
    spdlog::warn(
        "{}: this kernel cannot ask again what the last daemon did not answer (Linux 6.9 "
        "can): after a crash such requests hang",
        mount_->directory());
  }
  if (auto served = serve_mount(); !served) {
    spdlog::error("{}", served.error().message);
  }
  fuse_->handle_readable();
}

bool Daemon::may_hand_over() const {
  return fuse_ != nullptr && notifier_.keeps_fds();
}

// The mount stays, and its users wait for the next process.
void Daemon::hand_over() {
  spdlog::info("stopping; the next start goes on with the devices in use: {}", keeper_->users());
  if (!takeover_) {
    runner_->loop().remove_fd(fuse_->wait_fd());
  }
  fuse_->stop_reading();
  hand_over_by_ = os::monotonic_now() + kHandOverTime;
}

// A start that fails does not come here: the mount that it has taken over waits for the next one.
void Daemon::end_mount() {
  if (mount_ != nullptr && notifier_.keeps_fds() && !hand_over_by_) {
    notifier_.forget_fd(kKeptMount);
    mount_->stay_mounted(false);
  }
}

Result<void> Daemon::open_attacher() {
  if (attach_process_ == nullptr) {
    return {};
  }
  attacher_ = std::make_unique<Attacher>(
      os::monotonic_now(), *keeper_, std::move(attach_process_),
      Attacher::Surroundings{
          .links = config_.links,
          .uri =
              [this](const DeviceConfig& device, block::Access access) {
                return device_uri(device, interfaces_->wanted(),
                                  access == block::Access::read_only ? DeviceAccess::read_only
                                                                     : DeviceAccess::read_write);
              },
          .tell =
              [this](Attachment what, DeviceAddress address, const std::string& block_device) {
                tell(attachment_json(what, address, block_device));
              }});
  return runner_->loop().add_fd(attacher_->wait_fd(), EPOLLIN,
                                [this](std::uint32_t) { attacher_->handle_readable(); });
}

Result<Attacher*> Daemon::attacher() {
  if (attacher_ == nullptr) {
    return fail_with(Errc::unsupported, 0,
                     "attach: the daemon runs without the directory of its devices (--mount)");
  }
  return attacher_.get();
}

void Daemon::handle_release(DeviceAddress address) {
  if (attacher_ != nullptr) {
    attacher_->handle_release(address);
  }
}

}  // namespace aoe::initiatord
