#include "compat/solaris/monitor.h"

#include "compat/solaris/device_settings.h"
#include "compat/solaris/instances.h"
#include "compat/solaris/json_fields.h"
#include "compat/solaris/probe_file.h"
#include "compat/solaris/text_file.h"
#include "net/af_packet_port.h"
#include "os/clock.h"

#include <fmt/format.h>

#include <poll.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

namespace aoe::compat::solaris {
namespace {

// Forged check-ins must not fill the memory.
constexpr std::size_t kSeenMax = 4096;
constexpr std::size_t kEnableMax = 256;
// Changes of block devices come in bursts, and the daemon's answer is ready when its event comes.
constexpr Duration kNamesPause = Duration::milliseconds(200);

int milliseconds_until(Instant when) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  constexpr std::int64_t kMsMax = 60'000;
  const std::int64_t ns = (when - os::monotonic_now()).ns;
  return ns <= 0 ? 0 : static_cast<int>(std::min(ns / kNsPerMs + 1, kMsMax));
}

Result<std::unique_ptr<net::PacketPort>> open_port(const std::string& interface) {
  net::AfPacketOptions options;
  options.interface = interface;
  options.filter = net::FrameFilter::remarkable_responses;
  options.missing = net::MissingInterface::wait;
  // Few frames come through the filter.
  options.ring_bytes = std::size_t{1} << 20U;
  AOE_TRY_ASSIGN(std::unique_ptr<net::PacketPort> port, net::AfPacketPort::open(options));
  return port;
}

}  // namespace

Result<std::unique_ptr<Monitor>> Monitor::open(const DaemonPlaces& places, NameDisks name_disks) {
  std::unique_ptr<Monitor> monitor(new Monitor(places, std::move(name_disks)));
  AOE_TRY_ASSIGN(monitor->signals_, os::SignalSet::open({SIGTERM, SIGINT, SIGHUP}));
  AOE_TRY_ASSIGN(monitor->links_, os::LinkMonitor::open());
  AOE_TRY(make_directories(places.channels));
  AOE_TRY_ASSIGN(DirectoryWatch watch, DirectoryWatch::open(places.channels));
  monitor->watch_ = std::make_unique<DirectoryWatch>(std::move(watch));
  if (monitor->name_disks_) {
    AOE_TRY_ASSIGN(monitor->blocks_, os::BlockMonitor::open());
  }
  return monitor;
}

void Monitor::run(MonitorLog& log) {
  log_ = &log;
  follow_channels();
  while (!signals_->next()) {
    wait();
    // Before frames: they may answer the probe that is told of there.
    look_at_directory();
    if (const os::LinkChanges changes = links_->drain(); !changes.empty()) {
      for (auto& [number, watched] : channels_) {
        watched.port->refresh();
      }
    }
    for (const auto& [number, watched] : channels_) {
      receive(watched);
    }
    enable_targets();
    const Instant now = os::monotonic_now();
    if (blocks_ != nullptr && blocks_->drain()) {
      want_names(now);
    }
    look_at_daemon(now);
    keep_names(now);
  }
  log_ = nullptr;
}

void Monitor::wait() {
  std::vector<pollfd> fds;
  const int blocks = blocks_ == nullptr ? -1 : blocks_->wait_fd();
  // Of those that are -1 poll() takes no notice.
  for (const int fd :
       {signals_->wait_fd(), links_->wait_fd(), watch_->wait_fd(), daemon_.wait_fd(), blocks}) {
    fds.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  }
  for (const auto& [number, watched] : channels_) {
    fds.push_back({.fd = watched.port->wait_fd(), .events = POLLIN, .revents = 0});
  }
  std::optional<Instant> next = daemon_.next_look();
  if (names_due_ && (!next || *names_due_ < *next)) {
    next = names_due_;
  }
  (void)::poll(fds.data(), fds.size(), next ? milliseconds_until(*next) : -1);
}

void Monitor::look_at_daemon(Instant now) {
  if (daemon_.look(now)) {
    if (const auto told = tell_new_daemon(); !told) {
      log_->say(Severity::error, told.error().message);
    }
    want_names(now);
  }
  while (const auto event = daemon_.next_event()) {
    handle_daemon_event(now, *event);
  }
}

// What it knows already it takes for nothing new.
Result<void> Monitor::tell_new_daemon() {
  AOE_TRY_ASSIGN(const auto active, table_.active());
  AOE_TRY_ASSIGN(const auto client, connect(places_));
  for (const Channel& channel : active) {
    AOE_TRY(use_interface(*client, channel));
  }
  AOE_TRY_ASSIGN(const auto entries, read_entries(nullptr, places_.channels));
  if (!entries) {
    return {};
  }
  return apply_settings(*client, *entries, fmt::format("{}/{}", places_.channels, kEffectiveConf));
}

void Monitor::handle_daemon_event(Instant now, const Json& event) {
  const std::string type = text_of(event, "type");
  if (type == "request_timed_out") {
    report_timeout(event);
  } else if (type == "device_attached" || type == "device_detached" || type == "device_resized") {
    want_names(now);
  }
}

void Monitor::report_timeout(const Json& event) {
  const auto address = parse_device_address(text_of(event, "address"));
  const auto frame = bytes_of_hex(text_of(event, "frame"));
  const std::string interface = text_of(event, "interface");
  for (const auto& [number, watched] : channels_) {
    if (!address || !frame || watched.channel.interface != interface) {
      continue;
    }
    const std::string where = to_string(TargetAddress{number, *address});
    report(where,
           {.kind = FrameKind::error,
            .address = *address,
            .text = fmt::format("no answer: a command timed out after it was sent {} times",
                                number_of(event, "transmissions"))},
           *frame);
    return;
  }
}

void Monitor::want_names(Instant now) {
  if (name_disks_ && !names_due_) {
    names_due_ = now + kNamesPause;
  }
}

void Monitor::keep_names(Instant now) {
  if (!names_due_ || now < *names_due_) {
    return;
  }
  names_due_.reset();
  const auto client = connect(places_);
  if (!client) {
    // Named when it is there again.
    return;
  }
  auto unnamed = name_disks_(**client);
  if (!unnamed) {
    unnamed = std::vector{"disks are not named: " + unnamed.error().message};
  }
  for (const std::string& line : *unnamed) {
    if (std::find(unnamed_.begin(), unnamed_.end(), line) == unnamed_.end()) {
      log_->say(Severity::notice, line);
    }
  }
  unnamed_ = *std::move(unnamed);
}

void Monitor::look_at_directory() {
  const std::set<std::string> changed = watch_->changed();
  if (changed.empty()) {
    return;
  }
  follow_channels();
  if (changed.count(std::string(kProbeFile)) != 0 || changed.count("") != 0) {
    read_probe();
  }
}

void Monitor::follow_channels() {
  const auto active = table_.active();
  if (!active) {
    log_->say(Severity::error, active.error().message);
    return;
  }
  std::map<std::uint32_t, Watched> next;
  for (const Channel& channel : *active) {
    const auto known = channels_.find(channel.number);
    if (known != channels_.end() && known->second.channel.interface == channel.interface) {
      next.emplace(channel.number, std::move(known->second));
      continue;
    }
    auto port = open_port(channel.interface);
    if (!port) {
      log_->say(Severity::error,
                fmt::format("channel {} is not watched: {}", channel.number, port.error().message));
      continue;
    }
    next.emplace(channel.number, Watched{channel, *std::move(port)});
  }
  channels_ = std::move(next);
}

void Monitor::read_probe() {
  const auto text = read_text_file(fmt::format("{}/{}", places_.channels, kProbeFile));
  if (!text) {
    if (text.error().code != Errc::not_found) {
      log_->say(Severity::error, text.error().message);
    }
    return;
  }
  probes_.open(parse_probe(*text), os::monotonic_now());
}

void Monitor::receive(const Watched& watched) {
  constexpr std::size_t kBatch = 64;
  std::array<PacketBuffer, kBatch> received;
  std::size_t count = 0;
  do {
    count = watched.port->receive(received);
    for (std::size_t i = 0; i < count; ++i) {
      const PacketBuffer buffer = std::move(received.at(i));
      judge(watched, buffer.bytes());
    }
  } while (count == kBatch);
}

void Monitor::judge(const Watched& watched, ConstByteSpan frame) {
  const FrameVerdict verdict = judge_frame(frame);
  const TargetAddress target{watched.channel.number, verdict.address};
  switch (verdict.kind) {
    case FrameKind::normal:
      return;
    case FrameKind::check_in:
      note_check_in(target, verdict);
      return;
    case FrameKind::odd:
      report(fmt::format("channel {}", watched.channel.number), verdict, frame);
      return;
    case FrameKind::error:
      report(to_string(target), verdict, frame);
      return;
  }
}

void Monitor::report(const std::string& where, const FrameVerdict& verdict, ConstByteSpan frame) {
  std::vector<std::string> lines{fmt::format("{}: {}", where, verdict.text)};
  for (const std::string& line : dump_frame(frame)) {
    lines.push_back(fmt::format("{}: {}", where, line));
  }
  say_within_budget(Severity::notice, lines);
}

void Monitor::note_check_in(const TargetAddress& target, const FrameVerdict& verdict) {
  if (seen_.size() < kSeenMax && seen_.insert(target).second) {
    say_within_budget(Severity::info, {to_string(target) + ": checked in"});
  }
  const bool is_answer = probes_.is_answered_by(target, os::monotonic_now());
  if ((verdict.is_unsolicited || is_answer) && to_enable_.size() < kEnableMax) {
    to_enable_.insert(target);
  }
}

void Monitor::enable_targets() {
  if (to_enable_.empty()) {
    return;
  }
  if (const auto done = enable(std::exchange(to_enable_, {})); !done) {
    say_within_budget(Severity::error, {"nothing is enabled: " + done.error().message});
  }
}

Result<void> Monitor::enable(const std::set<TargetAddress>& targets) {
  AOE_TRY_ASSIGN(const auto active, table_.active());
  AOE_TRY_ASSIGN(const auto client, connect(places_));
  AOE_TRY_ASSIGN(const auto known, ask_targets(*client, active));
  std::set<DeviceAddress> enabled;
  for (const DaemonTarget& target : known) {
    if (target.is_enabled || targets.count(target.address) == 0 ||
        !enabled.insert(target.address.device).second) {
      continue;
    }
    AOE_TRY(client->call("initiator.enable", {{"address", aoe::to_string(target.address.device)}}));
    say_within_budget(Severity::info, {to_string(target.address) + ": enabled"});
  }
  return {};
}

void Monitor::say_within_budget(Severity severity, const std::vector<std::string>& lines) {
  const auto left_out = budget_.admit(os::monotonic_now());
  if (!left_out) {
    return;
  }
  if (*left_out > 0) {
    log_->say(Severity::notice, fmt::format("{} messages were left out", *left_out));
  }
  for (const std::string& line : lines) {
    log_->say(severity, line);
  }
}

}  // namespace aoe::compat::solaris
