// The daemon's mounted directory: made or taken over, served, handed over, ended.
#include "initiatord/daemon.h"
#include "initiatord/device_uri.h"
#include "initiatord/event_text.h"
#include "os/clock.h"

#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace aoe::initiatord {
namespace {

// The names of descriptors while the service manager keeps them.
constexpr const char* kKeptMount = "etherd";
constexpr const char* kKeptRecord = "etherd-record";

// The one of that name, which is taken out; an empty one when there is none.
os::Fd take(std::map<std::string, os::Fd>& kept, const char* name) {
  auto found = kept.extract(name);
  return found.empty() ? os::Fd() : std::move(found.mapped());
}

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
  auto kept = notifier_.take_kept_fds();
  if (os::Fd device = take(kept, kKeptMount)) {
    if (auto adopted = os::FuseMount::adopt(options, std::move(device)); adopted) {
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
  AOE_TRY(open_record(take(kept, kKeptRecord)));
  AOE_TRY_ASSIGN(fuse_, fuse::Server::create(mount_->device().get(), fuse_backend_, server));
  return {};
}

// Beside the mount, and as old as that.
Result<void> Daemon::open_record(os::Fd kept) {
  if (kept && takes_over_) {
    AOE_TRY_ASSIGN(record_, MountRecord::adopt(std::move(kept)));
    return {};
  }
  AOE_TRY_ASSIGN(record_, MountRecord::create());
  if (notifier_.keeps_fds()) {
    notifier_.forget_fd(kKeptRecord);
    notifier_.keep_fd(record_->fd(), kKeptRecord);
  }
  return {};
}

// A disk is recorded as long as somebody has its file open, or a loop device over it.
void Daemon::record_use(DeviceAddress address) {
  const KeptDevice* device = keeper_->find(address);
  if (!record_ || device == nullptr) {
    return;
  }
  const initiator::Device* const open = keeper_->view(*device);
  Result<void> done;
  if (device->users.open_files == 0) {
    done = record_->drop(address);
  } else if (open != nullptr && open->identity()) {
    done = record_->keep(address, *open->identity());
  }
  if (!done) {
    spdlog::warn("{}: after a restart it cannot be told from another disk: {}", to_string(address),
                 done.error().message);
  }
}

Result<void> Daemon::begin_serving() {
  if (fuse_ == nullptr) {
    return {};
  }
  if (takes_over_) {
    takeover_.emplace(os::monotonic_now(), mount_->directory(),
                      Takeover::Parts{*keeper_, *fuse_, *record_},
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
  // A kernel that is known to be unable was drained, or killed before it was.
  if (record_->kernel_asks_again() == false || !fuse_->ask_again()) {
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
  hand_over_.emplace(os::monotonic_now(), record_->kernel_asks_again().value_or(false)
                                              ? HandOver::Kernel::asks_again
                                              : HandOver::Kernel::forgets);
}

void Daemon::go_on_handing_over(Instant now) {
  switch (hand_over_->look(now, fuse_->is_busy())) {
    case HandOver::Step::wait:
      return;
    case HandOver::Step::fail_requests:
      spdlog::error("requests are under way still, and this kernel cannot ask again: they fail");
      keeper_->close_all(now);
      return;
    case HandOver::Step::end:
      is_stopping_ = true;
      return;
  }
}

// A start that fails does not come here: the mount that it has taken over waits for the next one.
void Daemon::end_mount() {
  if (mount_ != nullptr && notifier_.keeps_fds() && !hand_over_) {
    notifier_.forget_fd(kKeptMount);
    notifier_.forget_fd(kKeptRecord);
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
          .survivors = block::find_survivors(),
          .uri =
              [this](const DeviceConfig& device, block::Access access) {
                return device_uri(device, interfaces_->wanted(),
                                  access == block::Access::read_only ? DeviceAccess::read_only
                                                                     : DeviceAccess::read_write);
              },
          .other_initiators = config_.port == PortKind::xdp ? Attacher::OtherInitiators::are_deaf
                                                            : Attacher::OtherInitiators::work,
          .tell =
              [this](Attachment what, DeviceAddress address, const std::string& block_device) {
                tell(attachment_json(what, address, block_device));
              }});
  AOE_TRY(runner_->loop().add_fd(attacher_->wait_fd(), EPOLLIN,
                                 [this](std::uint32_t) { attacher_->handle_readable(); }));
  auto monitor = os::BlockMonitor::open();
  if (!monitor) {
    spdlog::warn("partitions get their names with aoe revalidate alone: {}",
                 monitor.error().message);
    return {};
  }
  block_monitor_ = *std::move(monitor);
  return runner_->loop().add_fd(block_monitor_->wait_fd(), EPOLLIN, [this](std::uint32_t) {
    if (block_monitor_->drain()) {
      attacher_->handle_block_event();
    }
  });
}

Result<Attacher*> Daemon::attacher() {
  if (attacher_ == nullptr) {
    return fail_with(Errc::unsupported, 0,
                     "attach: the daemon runs without the directory of its devices (--mount)");
  }
  return attacher_.get();
}

void Daemon::handle_open(DeviceAddress address) {
  record_use(address);
}

void Daemon::handle_release(DeviceAddress address) {
  record_use(address);
  if (attacher_ != nullptr) {
    attacher_->handle_release(address);
  }
}

}  // namespace aoe::initiatord
