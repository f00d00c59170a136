#include "initiatord/daemon.h"

#include "client/interfaces.h"
#include "daemon/log.h"
#include "daemon/setup.h"
#include "initiatord/control_methods.h"
#include "initiatord/driver_text.h"
#include "initiatord/event_text.h"
#include "os/clock.h"
#include "os/link_monitor.h"
#include "os/privileges.h"
#include "os/random_seed.h"
#include "os/resident_memory.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <map>
#include <utility>

namespace aoe::initiatord {
namespace {

constexpr std::uint32_t kDevicesMax = 256;
constexpr std::uint32_t kRequestsMax = 1024;
constexpr std::uint32_t kFramesMax = 4096;
constexpr std::uint32_t kTargetsMax = 1024;
constexpr std::size_t kEventsKept = 1024;
constexpr Duration kPeriod = Duration::seconds(1);
// More than control requests ever need at a time.
constexpr std::size_t kHeapReserveBytes = std::size_t{8} << 20U;

client::CoreRunner::Options runner_options(const InitiatorConfig& config) {
  client::CoreRunner::Options options;
  options.polling = daemon::polling(config);
  initiator::CoreOptions& core = options.core;
  core.seed = os::random_seed();
  core.wildcard_discovery = initiator::CoreOptions::Wildcard::on;
  core.limits.ports_max = client::kPortsMax;
  core.limits.devices_max = kDevicesMax;
  core.limits.requests_max = kRequestsMax;
  core.limits.frames_max = kFramesMax;
  core.limits.targets_max = kTargetsMax;
  return options;
}

bool is_bad_interface(Errc code) {
  return code == Errc::invalid_argument || code == Errc::unsupported;
}

}  // namespace

Daemon::Daemon(Options options) : options_(std::move(options)), history_(kEventsKept) {}

Daemon::~Daemon() {
  // Their replies need the server, which needs the runner's loop.
  waiters_ = Waiters();
  if (attacher_ != nullptr) {
    if (block_monitor_ != nullptr) {
      runner_->loop().remove_fd(block_monitor_->wait_fd());
    }
    runner_->loop().remove_fd(attacher_->wait_fd());
    attacher_.reset();
  }
  control_.reset();
  if (fuse_ != nullptr) {
    runner_->loop().remove_fd(fuse_->wait_fd());
  }
  // Before the core goes: what is under way uses the buffers of the mount.
  mount_.reset();
  runner_.reset();
}

int Daemon::run(const InitiatorConfig& config) {
  config_ = config;
  if (auto opened = open_edges(); !opened) {
    spdlog::error("{}", opened.error().message);
    return daemon::kExitFailed;
  }
  if (auto mounted = open_mount(); !mounted) {
    spdlog::error("{} (--mount none leaves it out)", mounted.error().message);
    return daemon::kExitFailed;
  }
  if (auto set = set_interfaces(config_.interfaces); !set) {
    spdlog::error("{}", set.error().message);
    return is_bad_interface(set.error().code) ? daemon::kExitMisused : daemon::kExitFailed;
  }
  keeper_->start(os::monotonic_now(), config_);
  if (auto serving = begin_serving(); !serving) {
    spdlog::error("{}", serving.error().message);
    return daemon::kExitFailed;
  }
  if (auto control = open_control(); !control) {
    spdlog::error("{}", control.error().message);
    return daemon::kExitFailed;
  }
  if (auto attacher = open_attacher(); !attacher) {
    spdlog::error("{}", attacher.error().message);
    return daemon::kExitFailed;
  }
  if (auto settled = settle_privileges(); !settled) {
    spdlog::error("{}", settled.error().message);
    return daemon::kExitFailed;
  }
  loop_until_stopped();
  end_mount();
  return daemon::kExitOk;
}

Result<void> Daemon::open_edges() {
  if (!config_.mount.empty()) {
    // First, so that it has nothing of what is opened here.
    AOE_TRY_ASSIGN(attach_process_,
                   block::AttachProcess::start({.mount = config_.mount, .links = config_.links}));
  }
  AOE_TRY_ASSIGN(signals_, os::SignalSet::open({SIGTERM, SIGINT, SIGHUP}));
  (void)std::signal(SIGPIPE, SIG_IGN);
  // Before the ports: a change between opening and watching must not be missed.
  AOE_TRY_ASSIGN(auto links, os::LinkMonitor::open());
  AOE_TRY_ASSIGN(runner_,
                 client::CoreRunner::create({}, std::move(links), runner_options(config_)));
  runner_->on_link_change([this] { follow_links(); });
  interfaces_ = std::make_unique<InterfaceSet>(*runner_, config_.port);
  keeper_ = std::make_unique<DeviceKeeper>(runner_->core(),
                                           DeviceKeeper::Options{.devices_max = kDevicesMax});
  return runner_->loop().add_fd(signals_->wait_fd(), EPOLLIN, [this](std::uint32_t) {
    while (const auto signal = signals_->next()) {
      handle_signal(signal->number);
    }
  });
}

Result<void> Daemon::open_control() {
  AOE_TRY_ASSIGN(control_, daemon::open_control(runner_->loop(), config_));
  add_control_methods(*control_, *this);
  return {};
}

Result<void> Daemon::settle_privileges() {
  if (fuse_ != nullptr) {
    for (const std::string& undone : os::keep_resident(kHeapReserveBytes)) {
      spdlog::warn("memory pressure may stop the disks of this host: cannot {}", undone);
    }
  }
  os::PrivilegeDrop drop = daemon::privilege_drop(config_);
  // For interfaces that are added later: AF_XDP needs more, and they do without it.
  drop.keep_net_raw = os::KeepNetRaw::yes;
  return os::drop_privileges(drop);
}

// --- interfaces ---

Result<void> Daemon::set_interfaces(const std::vector<std::string>& names) {
  AOE_TRY_ASSIGN(const InterfaceSet::Outcome outcome, interfaces_->set(names));
  report_interfaces(outcome);
  port_log_.look(runner_->ports());
  if (!names.empty() && interfaces_->ports().empty()) {
    spdlog::warn("auto: no Ethernet interface with carrier yet (one is used as soon as it is up)");
  }
  return {};
}

void Daemon::limit_mtu(const std::string& interface, std::size_t mtu_bytes) {
  runner_->limit_mtu(interface, mtu_bytes);
}

void Daemon::follow_links() {
  if (const auto outcome = interfaces_->follow_links(); outcome) {
    report_interfaces(*outcome);
  } else {
    spdlog::warn("{}", outcome.error().message);
  }
  port_log_.look(runner_->ports());
}

void Daemon::report_interfaces(const InterfaceSet::Outcome& outcome) {
  for (const std::string& name : outcome.removed) {
    spdlog::info("{}: not used any more", name);
  }
  for (const PortId id : interfaces_->ports()) {
    const net::PacketPort& port = *runner_->ports()[id.value];
    const auto& added = outcome.added;
    if (std::find(added.begin(), added.end(), port.name()) == added.end()) {
      continue;
    }
    if (port.info().link_up) {
      spdlog::info("{}: used, mtu {}", port.name(), port.info().mtu_bytes);
    } else {
      spdlog::warn("{}: no link, or no such interface; it is used as soon as it is up",
                   port.name());
    }
  }
}

// --- turning ---

void Daemon::loop_until_stopped() {
  watchdog_interval_ = notifier_.watchdog_interval();
  next_periodic_ = os::monotonic_now() + kPeriod;
  // Exactly this line, whatever the log level: scripts wait for it.
  fmt::print(stderr, "aoe-initiatord: ready on {}\n", fmt::join(config_.interfaces, ","));
  notifier_.ready(status_text());
  while (!is_stopping_) {
    const std::optional<Instant> waiter = waiters_.next_time();
    runner_->turn(waiter ? std::min(*waiter, next_periodic_) : next_periodic_);
    take_completions();
    const Instant now = os::monotonic_now();
    take_events(now);
    take_frame_notes();
    waiters_.look(now, *keeper_);
    if (now >= next_periodic_) {
      do_periodic_work(now);
    }
    if (hand_over_) {
      go_on_handing_over(now);
    }
  }
  notifier_.stopping();
}

void Daemon::do_periodic_work(Instant now) {
  next_periodic_ = now + kPeriod;
  if (watchdog_interval_) {
    notifier_.watchdog();
  }
  // A longer MTU waits for ring slots that are out, and no link event tells when they came back.
  runner_->look_at_links();
  keeper_->look_for_answers(now);
  if (takeover_) {
    finish_takeover(now);
  }
  if (record_ && fuse_->kernel_asks_again()) {
    static_cast<void>(record_->set_kernel_asks_again(*fuse_->kernel_asks_again()));
  }
  if (attacher_ != nullptr) {
    attacher_->look_around(now);
  }
  for (const DeviceAddress address : waiters_.addresses()) {
    runner_->core().discover(address);
  }
}

void Daemon::take_completions() {
  std::array<initiator::IoCompletion, 64> done;
  while (const std::size_t count = runner_->core().poll_completions(done)) {
    for (const initiator::IoCompletion& completion : std::span(done).first(count)) {
      fuse_->handle_completion(completion);
    }
  }
}

void Daemon::take_events(Instant now) {
  std::array<initiator::Event, 32> events;
  while (const std::size_t count = runner_->core().poll_events(events)) {
    for (const initiator::Event& event : std::span(events).first(count)) {
      handle_event(now, event);
    }
  }
}

void Daemon::take_frame_notes() {
  std::array<initiator::FrameNote, 32> notes;
  while (const std::size_t count = runner_->core().poll_frame_notes(notes)) {
    for (const initiator::FrameNote& note : std::span(notes).first(count)) {
      err_log_.add(driver_frame_note(note));
      if (note.kind == initiator::FrameNote::Kind::given_up) {
        control_->publish(history_.add(
            timed_out_json(note, runner_->ports()[note.port.value]->name()), os::wall_clock_ms()));
      }
    }
    if (fuse_ != nullptr) {
      fuse_->handle_event();
    }
  }
}

void Daemon::tell(control::Json event) {
  const control::Json& kept = history_.add(std::move(event), os::wall_clock_ms());
  control_->publish(kept);
  err_log_.add(driver_event(kept));
}

void Daemon::handle_event(Instant now, const initiator::Event& event) {
  keeper_->handle_event(now, event);
  const std::string interface =
      event.port.value < runner_->ports().size() ? runner_->ports()[event.port.value]->name() : "";
  tell(to_json(event, interface));
  if (fuse_ != nullptr) {
    if (event.kind == initiator::EventKind::device_resized ||
        event.kind == initiator::EventKind::device_shrunk) {
      fuse_->handle_resize(event.address);
    }
    record_use(event.address);
    fuse_->handle_event();
  }
  if (attacher_ != nullptr) {
    attacher_->handle_event(now, event);
  }
  // What is not kept may be made up by anybody: all of it shares one throttle.
  const DeviceAddress subject =
      keeper_->find(event.address) == nullptr ? DeviceAddress{} : event.address;
  const auto left_out = throttle_.admit(now, {subject, static_cast<std::uint32_t>(event.kind)});
  if (!left_out) {
    return;
  }
  daemon::LogLine line = describe(event, interface);
  if (*left_out != 0) {
    line.text += fmt::format(" ({} more of these were left out)", *left_out);
  }
  daemon::say(line);
}

void Daemon::wait_for(Waiters::Waiter waiter) {
  runner_->core().discover(waiter.address);
  waiters_.add(std::move(waiter));
}

std::string Daemon::status_text() {
  std::size_t up = 0;
  const auto devices = keeper_->devices();
  for (const KeptDevice* device : devices) {
    const initiator::Device* open = keeper_->view(*device);
    if (open != nullptr && open->is_up()) {
      ++up;
    }
  }
  return fmt::format("{} of {} devices up", up, devices.size());
}

// --- signals, reload, stop ---

void Daemon::handle_signal(int number) {
  if (number == SIGHUP) {
    notifier_.reloading();
    if (auto done = reload(); done) {
      spdlog::info("reloaded: {}", *done);
    } else {
      spdlog::error("not reloaded, the running configuration stays: {}", done.error().message);
    }
    notifier_.ready(status_text());
    return;
  }
  if (may_hand_over() && !keeper_->users().empty() && !hand_over_) {
    hand_over();
    return;
  }
  const Force force = stop_was_refused_ || hand_over_ ? Force::yes : Force::no;
  if (auto stopped = stop(force); !stopped) {
    stop_was_refused_ = true;
    spdlog::warn("{}; a second signal stops all the same", stopped.error().message);
  }
}

Result<void> Daemon::stop(Force force) {
  const std::string users = keeper_->users();
  if (!users.empty() && force == Force::no) {
    return fail_with(Errc::busy, 0, fmt::format("stop: devices are in use: {}", users));
  }
  if (!users.empty()) {
    spdlog::warn("stopping although devices are in use: {}", users);
  } else {
    spdlog::info("stopping");
  }
  is_stopping_ = true;
  return {};
}

Result<std::string> Daemon::reload() {
  LoadedConfig loaded = load_config(options_);
  for (const config::Diagnostic& warning : loaded.diagnostics.warnings) {
    spdlog::warn("{}", to_string(warning));
  }
  if (!loaded.diagnostics.ok()) {
    return fail_with(Errc::invalid_argument, 0, config::joined_errors(loaded.diagnostics));
  }
  const config::ReloadPlan plan = diff({.running = config_, .wanted = loaded.config});
  // First what can fail: then nothing has changed.
  if (loaded.config.interfaces != config_.interfaces) {
    AOE_TRY(set_interfaces(loaded.config.interfaces));
  }
  const auto attach_words = [this] {
    std::map<DeviceAddress, std::string> words;
    for (const KeptDevice* device : keeper_->devices()) {
      words[device->address()] = device->config.attach;
    }
    return words;
  };
  const auto attached_before = attach_words();
  const std::vector<std::string> trouble =
      keeper_->reconfigure(os::monotonic_now(), plan, loaded.config);
  for (const auto& [address, word] : attach_words()) {
    const auto before = attached_before.find(address);
    if (attacher_ != nullptr && (before == attached_before.end() || before->second != word)) {
      attacher_->want(os::monotonic_now(), address);
    }
  }
  config_ = std::move(loaded.config);
  daemon::set_log_level(config_.log_level);
  if (!trouble.empty()) {
    return fmt::format("{}; {}", to_string(plan), fmt::join(trouble, "; "));
  }
  return to_string(plan);
}

}  // namespace aoe::initiatord
