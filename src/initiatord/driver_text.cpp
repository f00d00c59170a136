#include "initiatord/driver_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace aoe::initiatord {

using initiator::Path;

namespace {

// In the order in which the daemon was told of them, whichever path came up first.
using Ports = std::set<PortId>;

std::string names_of(const Ports& ports, const client::CoreRunner& runner) {
  std::string text;
  for (const PortId port : ports) {
    text += (text.empty() ? "" : ",") + runner.ports()[port.value]->name();
  }
  return text;
}

// The driver keeps the payload of a device that is down, and has two sectors before it knows
// better.
std::uint32_t payload_bytes(const initiator::Device& device) {
  std::uint32_t sectors = device.paths().smallest_payload_sectors();
  for (std::uint32_t i = 0; sectors == 0 && i < device.paths().size(); ++i) {
    sectors = device.paths().at(i).payload.sectors();
  }
  return (sectors == 0 ? 2 : sectors) * kSectorBytes;
}

// What the driver keeps of one target: all its paths together.
struct Target {
  std::uint64_t frames_read = 0;  // each counted once, as in the driver
  std::uint64_t frames_written = 0;
  std::uint32_t in_flight = 0;
  std::uint32_t window = 0;
  std::uint32_t slow_start = 0;
  std::uint32_t buffers = 0;
  bool is_suspect = false;
  Ports ports;
};

// There is no list of free frames here, whose length and head the driver tells.
std::string text_of(const MacAddress& mac, const Target& target, const client::CoreRunner& runner) {
  return fmt::format(
      "falloc: 0\nffree: 0000000000000000\n{}:{}:{}:{}\n\tssthresh:{}\n\ttaint:{}\n\tr:{}\n\tw:{}\n"
      "\t{}\n",
      to_bare_string(mac), target.in_flight, target.window, target.buffers, target.slow_start,
      target.is_suspect ? 1 : 0, target.frames_read, target.frames_written,
      names_of(target.ports, runner));
}

}  // namespace

std::string driver_state(const initiator::Device& device, const DeviceUsers& users) {
  if (device.is_up()) {
    return "up\n";
  }
  return users.any() ? "down,closewait\n" : "down\n";
}

std::string driver_mac(const initiator::Device& device) {
  return device.paths().size() == 0 ? "none\n" : to_bare_string(device.paths().at(0).mac) + "\n";
}

std::string driver_netif(const initiator::Device& device, const client::CoreRunner& runner) {
  Ports ports;
  for (std::uint32_t i = 0; i < device.paths().size(); ++i) {
    ports.insert(device.paths().at(i).port);
  }
  return ports.empty() ? "none\n" : names_of(ports, runner) + "\n";
}

std::string driver_firmware(std::uint16_t version) {
  return fmt::format("0x{:04x}\n", version);
}

std::string driver_payload(const initiator::Device& device) {
  return fmt::format("{}\n", payload_bytes(device));
}

std::string driver_debug(const initiator::Device& device, const DeviceUsers& users,
                         const client::CoreRunner& runner) {
  std::map<MacAddress, Target> targets;
  Duration srtt{};
  Duration rttvar{};
  for (std::uint32_t i = 0; i < device.paths().size(); ++i) {
    const Path& path = device.paths().at(i);
    Target& target = targets[path.mac];
    target.frames_read += path.frames_read;
    target.frames_written += path.frames_written;
    target.in_flight += path.in_flight;
    target.window += path.window.frames();
    target.slow_start += path.window.slow_start_frames();
    target.buffers = std::max<std::uint32_t>(target.buffers, path.target.buffer_count);
    target.is_suspect = target.is_suspect || path.state == initiator::PathState::suspect;
    target.ports.insert(path.port);
    srtt = std::max(srtt, path.rtt.srtt());
    rttvar = std::max(rttvar, path.rtt.rttvar());
  }
  std::string text =
      fmt::format("rttavg: {} rttdev: {}\nnskbpool: 0\nkicked: 0\nmaxbcnt: {}\nref: {}\n",
                  srtt.ns / 1000, rttvar.ns / 1000, payload_bytes(device), users.open_files);
  for (const auto& [mac, target] : targets) {
    text += text_of(mac, target, runner);
  }
  return text;
}

// Labels and columns are those of aoecmd.c. A jiffy is a millisecond here.
std::string driver_frame_note(const initiator::FrameNote& note) {
  constexpr std::int64_t kNsPerJiffy = 1'000'000;
  const std::string device = to_string(note.address);
  const std::int64_t jiffies = note.at.ns / kNsPerJiffy;
  if (note.kind == initiator::FrameNote::Kind::unexpected_answer) {
    return fmt::format("{:>15} {}    tag={:08x}@{:08x} s={} d={}\n", "unexpected rsp", device,
                       note.tag.value, jiffies, to_bare_string(note.source),
                       to_bare_string(note.destination));
  }
  if (note.kind == initiator::FrameNote::Kind::given_up) {
    return fmt::format("{:>15} {}    tag={:08x}@{:08x} s={} d={} sent={}\n", "given up", device,
                       note.tag.value, jiffies, to_bare_string(note.source),
                       to_bare_string(note.destination), note.transmissions);
  }
  return fmt::format("{:>15} {} oldtag={:08x}@{:08x} newtag={:08x} s={} d={} nout={}\n",
                     "retransmit", device, note.tag.value, jiffies, note.tag.value,
                     to_bare_string(note.source), to_bare_string(note.destination), note.in_flight);
}

std::string driver_event(const nlohmann::json& event) {
  std::string label = event.value("type", "");
  std::replace(label.begin(), label.end(), '_', ' ');
  std::string line = fmt::format("{:>15}", label);
  if (event.contains("address")) {
    line += " " + event.value("address", "");
  }
  if (event.contains("mac")) {
    std::string mac = event.value("mac", "");
    std::erase(mac, ':');
    line += fmt::format(" s={} {}", mac, event.value("interface", ""));
  }
  return line + "\n";
}

}  // namespace aoe::initiatord
