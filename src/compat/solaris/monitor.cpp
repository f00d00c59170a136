#include "compat/solaris/monitor.h"

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

// Targets answer a probe at once; vblade on a busy host has been seen to take a second.
constexpr Duration kProbeLasts = Duration::seconds(5);
// Forged check-ins must not fill the memory.
constexpr std::size_t kSeenMax = 4096;
constexpr std::size_t kEnableMax = 256;

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

Result<std::unique_ptr<Monitor>> Monitor::open(const DaemonPlaces& places) {
  std::unique_ptr<Monitor> monitor(new Monitor(places));
  AOE_TRY_ASSIGN(monitor->signals_, os::SignalSet::open({SIGTERM, SIGINT, SIGHUP}));
  AOE_TRY_ASSIGN(monitor->links_, os::LinkMonitor::open());
  AOE_TRY(make_directories(places.channels));
  AOE_TRY_ASSIGN(DirectoryWatch watch, DirectoryWatch::open(places.channels));
  monitor->watch_ = std::make_unique<DirectoryWatch>(std::move(watch));
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
  }
  log_ = nullptr;
}

void Monitor::wait() {
  std::vector<pollfd> fds;
  for (const int fd : {signals_->wait_fd(), links_->wait_fd(), watch_->wait_fd()}) {
    fds.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  }
  for (const auto& [number, watched] : channels_) {
    fds.push_back({.fd = watched.port->wait_fd(), .events = POLLIN, .revents = 0});
  }
  (void)::poll(fds.data(), fds.size(), -1);
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
  const Instant now = os::monotonic_now();
  if (now >= probe_end_) {
    probed_.clear();
  }
  const auto more = parse_probe(*text);
  probed_.insert(probed_.end(), more.begin(), more.end());
  probe_end_ = now + kProbeLasts;
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
  if ((verdict.is_unsolicited || is_probed(target)) && to_enable_.size() < kEnableMax) {
    to_enable_.insert(target);
  }
}

bool Monitor::is_probed(const TargetAddress& target) const {
  return os::monotonic_now() < probe_end_ &&
         std::any_of(probed_.begin(), probed_.end(),
                     [&](const AddressPattern& pattern) { return pattern.matches(target); });
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
