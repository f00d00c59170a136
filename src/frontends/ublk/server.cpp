#include "frontends/ublk/server.h"

#include "frontends/ublk/aoe_disk.h"
#include "frontends/ublk/control.h"
#include "frontends/ublk/queue_channel.h"
#include "os/error_text.h"
#include "os/fd.h"
#include "os/poll_until.h"
#include "os/resident_memory.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace aoe::ublk {
namespace {

constexpr std::uint16_t kDepth = 64;
constexpr std::uint32_t kBufferBytes = 256 * 1024;
static_assert(kQueuesMax * kDepth <= AoeDisk::kRequestsMax);
constexpr std::size_t kHeapReserveBytes = std::size_t{4} << 20U;
// A write of the server that died may be on its way for so long (initiator/options.h,
// frame_life_max); it must not come after the requests that the driver gives out again.
constexpr Duration kFrameLife = Duration::seconds(4);
// The driver notices the death of a server by and by, and udev makes nodes by and by.
constexpr Duration kPatience = Duration::seconds(30);
constexpr Duration kPause = Duration::milliseconds(50);

class Server {
 public:
  explicit Server(std::unique_ptr<AoeDisk> disk) : disk_(std::move(disk)) {}

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // After wait().
  ~Server() = default;

  Result<void> open(const Options& options) {
    AOE_TRY_ASSIGN(control_, Control::open());
    return options.resume ? resume(*options.resume) : add(options.queues);
  }

  [[nodiscard]] std::uint32_t number() const { return info_.dev_id; }

  // Until the driver takes no more.
  void wait() {
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }

 private:
  Result<void> add(std::uint32_t queues) {
    const std::uint32_t processors = std::max(std::thread::hardware_concurrency(), 1U);
    uapi::DeviceInfo wanted;
    wanted.nr_hw_queues =
        static_cast<std::uint16_t>(queues != 0 ? queues : std::min(processors, kQueuesMax));
    wanted.queue_depth = kDepth;
    wanted.max_io_buf_bytes = kBufferBytes;
    wanted.flags =
        uapi::kFlagUserRecovery | uapi::kFlagUserRecoveryReissue | uapi::kFlagIoctlEncode;
    wanted.ublksrv_flags = encode_mark(mark_of_disk());
    AOE_TRY_ASSIGN(info_, control_->add(wanted));
    auto started = start_new();
    if (!started) {
      // Ends the fetches, and with them the threads; there is no block device yet.
      static_cast<void>(control_->stop(number()));
      wait();
      channels_.clear();
      channel_.reset();
      static_cast<void>(control_->remove(number()));
    }
    return started;
  }

  Result<void> start_new() {
    // The driver drops flags that it does not know.
    if ((info_.flags & uapi::kFlagUserRecoveryReissue) == 0) {
      return fail_with(Errc::unsupported, 0,
                       "ublk: this kernel loses a device with its server (Linux 6.1 does not)");
    }
    AOE_TRY(
        control_->set_parameters(number(), parameters_of(disk_->facts(), info_.max_io_buf_bytes)));
    AOE_TRY(start_queues());
    return control_->start(number(), ::getpid());
  }

  Result<void> resume(std::uint32_t number) {
    AOE_TRY_ASSIGN(info_, control_->info(number));
    AOE_TRY(check_same_disk());
    Result<void> started;
    (void)os::poll_until(kPatience, kPause, [&] {
      started = control_->start_recovery(number);
      return started || started.error().code != Errc::busy;
    });
    if (!started && started.error().os_errno == EINVAL) {
      return fail_with(Errc::busy, EINVAL,
                       block_device_path(number) + ": another server goes on with it already");
    }
    AOE_TRY(started);
    os::pause_for(kFrameLife);
    AOE_TRY(start_queues());
    // When this fails the process ends, and with it the threads: the device waits for the next.
    return control_->end_recovery(number, ::getpid());
  }

  [[nodiscard]] Mark mark_of_disk() const {
    return {.address = disk_->address(), .disk = fingerprint_of(disk_->model(), disk_->serial())};
  }

  Result<void> check_same_disk() {
    const auto mark = decode_mark(info_.ublksrv_flags);
    if (!mark || mark->address != disk_->address()) {
      return fail_with(Errc::corrupt, 0,
                       fmt::format("{}: it is {}, and not {}", block_device_path(number()),
                                   mark ? to_string(mark->address) : "no device of aoe-ublk",
                                   to_string(disk_->address())));
    }
    if (*mark != mark_of_disk()) {
      return fail_with(
          Errc::corrupt, 0,
          fmt::format("{}: {} is another disk now (model \"{}\", serial \"{}\"): it is not resumed",
                      block_device_path(number()), to_string(disk_->address()), disk_->model(),
                      disk_->serial()));
    }
    AOE_TRY_ASSIGN(const uapi::Parameters before, control_->parameters(number()));
    if (const std::uint64_t bytes = before.basic.dev_sectors * kSectorBytes;
        disk_->facts().bytes < bytes) {
      return fail_with(Errc::corrupt, 0,
                       fmt::format("{}: has {} bytes, but {} now only {}: it is not resumed",
                                   block_device_path(number()), bytes, to_string(disk_->address()),
                                   disk_->facts().bytes));
    }
    return {};
  }

  Result<void> start_queues() {
    AOE_TRY(open_channel());
    for (std::uint16_t queue = 0; queue < info_.nr_hw_queues; ++queue) {
      AOE_TRY_ASSIGN(auto channel, QueueChannel::create({.channel_fd = channel_.get(),
                                                         .queue = queue,
                                                         .depth = info_.queue_depth,
                                                         .buffer_bytes = info_.max_io_buf_bytes},
                                                        *disk_));
      channels_.push_back(std::move(channel));
    }
    for (const std::string& undone : os::keep_resident(kHeapReserveBytes)) {
      ::syslog(LOG_WARNING, "memory pressure may stop this disk: cannot %s", undone.c_str());
    }
    for (const auto& channel : channels_) {
      threads_.emplace_back([&served = *channel] { served.run(); });
    }
    return {};
  }

  Result<void> open_channel() {
    const std::string path = channel_path(number());
    int failed = 0;
    (void)os::poll_until(kPatience, kPause, [&] {
      channel_ = os::Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
      failed = channel_ ? 0 : errno;
      return failed != ENOENT && failed != EBUSY;
    });
    return failed == 0 ? Result<void>() : fail(os::os_error(failed, path + ": open"));
  }

  // Torn down from below: the queues use the disk and the channel.
  std::unique_ptr<AoeDisk> disk_;
  std::unique_ptr<Control> control_;
  uapi::DeviceInfo info_;
  os::Fd channel_;
  std::vector<std::unique_ptr<QueueChannel>> channels_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<void> serve(
    const Options& options,
    const std::function<void(std::uint32_t number, const std::string& serial)>& is_ready) {
  AOE_TRY_ASSIGN(auto disk, AoeDisk::open(options.uri));
  const std::string serial = disk->serial();
  auto server = std::make_unique<Server>(std::move(disk));
  if (auto opened = server->open(options); !opened) {
    // Threads of a device that could not be resumed wait for the driver until the process ends.
    static_cast<void>(server.release());
    return opened;
  }
  is_ready(server->number(), serial);
  server->wait();
  return {};
}

}  // namespace aoe::ublk
