// Transmission, expiry and retransmission.
#include "protocol/aoe_ata.h"
#include "protocol/aoe_frame.h"
#include "protocol/ata_command.h"
#include "sim/models/linux_driver.h"
#include "sim/models/linux_driver_state.h"

#include <algorithm>
#include <utility>

namespace aoe::sim {
namespace {

using protocol::AtaOp;

constexpr Duration kTick = Duration::milliseconds(100);
constexpr Duration kScornAfter = Duration::seconds(10);
constexpr std::uint32_t kTaintMax = 1000;

void scorn(LinuxPath& path) {
  const std::uint32_t tainted = path.taint + 1;
  path.taint = std::min(tainted * 3, kTaintMax);
}

PortId rotate_port(LinuxPath& path) {
  path.last_port = (path.last_port + 1) % path.ports.size();
  return path.ports[path.last_port].port;
}

}  // namespace

LinuxPath* LinuxDriver::choose(LinuxDisk& disk) const {
  const std::size_t count = disk.paths.size();
  bool has_untainted = false;
  std::uint32_t out = 0;
  for (const auto& path : disk.paths) {
    has_untainted = has_untainted || path->taint == 0;
    out += path->taint == 0 ? path->out : 0;
  }
  for (std::size_t step = 1; step <= count; ++step) {
    const std::size_t index = (disk.last_path + step) % count;
    LinuxPath& path = *disk.paths[index];
    if (path.out < path.window && (path.taint == 0 || !has_untainted) && !path.ports.empty()) {
      disk.last_path = index;
      return &path;
    }
  }
  disk.wants_kick = disk.wants_kick || out == 0;
  return nullptr;
}

void LinuxDriver::work(Instant now, LinuxDisk& disk) {
  send_deferred(now, disk);
  while (send_next_piece(now, disk)) {
  }
}

bool LinuxDriver::send_next_piece(Instant now, LinuxDisk& disk) {
  if (disk.waiting.empty()) {
    return false;
  }
  LinuxPath* path = choose(disk);
  if (path == nullptr) {
    return false;
  }
  LinuxDisk::Request& request = disk.requests.at(disk.waiting.front());
  const std::size_t bytes =
      std::min<std::size_t>(request.bytes - request.sent_bytes, disk.payload_bytes);
  auto frame = std::make_unique<LinuxFrame>();
  frame->path = path;
  frame->request = request.number;
  frame->lba = Lba{request.request.lba.value + request.sent_bytes / kSectorBytes};
  frame->sectors = static_cast<std::uint8_t>(bytes / kSectorBytes);
  if (request.request.read_into.empty()) {
    frame->write_from = request.request.write_from.subspan(request.sent_bytes, bytes);
    frame->command = static_cast<std::uint8_t>(disk.has_lba48 ? AtaOp::write_ext : AtaOp::write);
  } else {
    frame->read_into = request.request.read_into.subspan(request.sent_bytes, bytes);
    frame->command = static_cast<std::uint8_t>(disk.has_lba48 ? AtaOp::read_ext : AtaOp::read);
  }
  request.sent_bytes += bytes;
  ++request.pieces_out;
  if (request.sent_bytes == request.bytes) {
    disk.waiting.pop_front();
  }
  activate(now, disk, std::move(frame));
  return true;
}

void LinuxDriver::probe(Instant now, LinuxDisk& disk, LinuxPath& path) {
  if (path.ports.empty()) {
    return;
  }
  auto frame = std::make_unique<LinuxFrame>();
  frame->path = &path;
  frame->is_probe = true;
  frame->command = static_cast<std::uint8_t>(disk.has_lba48 ? AtaOp::read_ext : AtaOp::read);
  frame->sectors = static_cast<std::uint8_t>(disk.payload_bytes / kSectorBytes);
  ++path.probes_out;
  activate(now, disk, std::move(frame));
}

// A first transmission: counts in the window of its MAC.
void LinuxDriver::activate(Instant now, LinuxDisk& disk, std::unique_ptr<LinuxFrame> frame) {
  frame->tag = new_tag(now, disk);
  frame->port = rotate_port(*frame->path);
  frame->sent = now;
  ++frame->path->out;
  transmit(disk, *frame);
  disk.active.push_back(std::move(frame));
  disk.by_tag[disk.active.back()->tag] = std::prev(disk.active.end());
}

void LinuxDriver::transmit(const LinuxDisk& disk, const LinuxFrame& frame) {
  const bool is_write = !frame.write_from.empty();
  std::size_t bytes = protocol::kAtaHeaderBytes + frame.write_from.size();
  if (frame.is_probe) {
    bytes = protocol::kAtaHeaderBytes + disk.payload_bytes;
  }
  Outgoing out{frame.port, std::vector<std::byte>(std::max(bytes, protocol::kFrameBytesMin))};
  protocol::build_header(out.bytes, {.destination = frame.path->mac,
                                     .source = interface(frame.port)->mac,
                                     .address = disk.address,
                                     .command = static_cast<std::uint8_t>(protocol::Command::ata),
                                     .tag = Tag{frame.tag}});
  protocol::AtaArgument ata;
  ata.sector_count = frame.sectors;
  ata.command_status = frame.command;
  if (frame.command == static_cast<std::uint8_t>(AtaOp::identify)) {
    ata.lba[3] = 0xA0;
  } else if (disk.has_lba48) {
    ata.flags = protocol::kAtaFlagExtended;
    ata.set_lba48(frame.lba);
  } else {
    ata.set_lba28(frame.lba);
  }
  if (is_write) {
    ata.flags = static_cast<std::uint8_t>(ata.flags | protocol::kAtaFlagWrite);
  }
  protocol::build_ata(out.bytes, ata);
  copy_bytes(ByteSpan(out.bytes).subspan(protocol::kAtaHeaderBytes), frame.write_from);
  outgoing_.push_back(std::move(out));
}

// --- time ---

void LinuxDriver::handle_timeout(Instant now) {
  if (next_discovery_ <= now) {
    next_discovery_ = now + options_.discovery_interval;
    discover({protocol::kAllShelves, protocol::kAllSlots});
  }
  for (const auto& disk : disks_) {
    if (disk->next_tick <= now) {
      tick(now, *disk);
    }
  }
}

Instant LinuxDriver::poll_timeout() const {
  Instant next = next_discovery_;
  for (const auto& disk : disks_) {
    next = std::min(next, disk->next_tick);
  }
  return next;
}

void LinuxDriver::tick(Instant now, LinuxDisk& disk) {
  if (!disk.has_retransmit_timer) {
    disk.next_tick = now + Duration::seconds(1);
    return;
  }
  disk.next_tick = now + kTick;
  const Duration rto = disk.rto();
  bool is_dead = false;
  // The oldest transmissions are at the front.
  while (!is_dead && !disk.active.empty() && now - disk.active.front()->sent >= rto) {
    std::unique_ptr<LinuxFrame> frame = std::move(disk.active.front());
    disk.active.pop_front();
    disk.by_tag.erase(frame->tag);
    is_dead = options_.dead_after.ns != 0 && !frame->is_probe &&
              frame->waited_total + (now - frame->sent) > options_.dead_after;
    expire(now, disk, *frame);
    disk.deferred.push_back(std::move(frame));
  }
  if (is_dead) {
    kill(disk);
  } else {
    send_deferred(now, disk);
  }
  if (std::exchange(disk.wants_kick, false)) {
    work(now, disk);
  }
}

void LinuxDriver::expire(Instant now, LinuxDisk& disk, LinuxFrame& frame) {
  LinuxPath& path = *frame.path;
  const Duration waited = frame.waited + (now - frame.sent);
  const Duration patience =
      std::min(options_.dead_after / static_cast<std::int64_t>(disk.paths.size()), kScornAfter);
  if (options_.dead_after.ns != 0 && waited > patience) {
    scorn(path);
  }
  if (path.window != 1) {
    path.slow_start_until = path.window / 2;
    path.window = 1;
  }
  if (frame.is_probe) {
    --path.probes_out;
  } else {
    const auto port =
        std::find_if(path.ports.begin(), path.ports.end(),
                     [&frame](const LinuxPath::Port& one) { return one.port == frame.port; });
    if (port != path.ports.end() && ++port->lost > 2 * path.frames_max && path.ports.size() > 1) {
      path.ports.erase(port);
    }
  }
  --path.out;
}

void LinuxDriver::send_deferred(Instant now, LinuxDisk& disk) {
  for (auto at = disk.deferred.begin(); at != disk.deferred.end();) {
    LinuxFrame& frame = **at;
    if (frame.path->taint > 0 && !frame.is_probe) {
      LinuxPath* other = choose(disk);
      if (other != nullptr && other != frame.path) {
        LinuxPath& tainted = *frame.path;
        frame.path = other;
        frame.waited = {};
        if (tainted.probes_out == 0 && disk.untainted() > 0) {
          probe(now, disk, tainted);
        }
      }
    } else if (frame.path->taint > 0) {
      if (disk.untainted() > 0 && now - frame.sent < disk.rto() * frame.path->taint) {
        ++at;
        continue;
      }
    }
    const bool probes_nothing = frame.is_probe && (frame.path->taint == 0 || disk.untainted() == 0);
    if (probes_nothing) {
      at = disk.deferred.erase(at);
      disk.wants_kick = true;
      continue;
    }
    LinuxPath& path = *frame.path;
    if (path.out >= path.window || path.ports.empty()) {
      ++at;
      continue;
    }
    ++path.out;
    path.probes_out += frame.is_probe ? 1U : 0U;
    frame.waited = frame.waited + (now - frame.sent);
    frame.waited_total = frame.waited_total + (now - frame.sent);
    frame.tag = new_tag(now, disk);
    frame.port = rotate_port(path);
    frame.sent = now;
    ++counters_.retransmissions;
    transmit(disk, frame);
    disk.active.push_back(std::move(*at));
    disk.by_tag[frame.tag] = std::prev(disk.active.end());
    at = disk.deferred.erase(at);
  }
}

void LinuxDriver::kill(LinuxDisk& disk) {
  ++counters_.disks_killed;
  disk.is_up = false;
  disk.active.clear();
  disk.by_tag.clear();
  disk.deferred.clear();
  disk.waiting.clear();
  for (const auto& [number, request] : disk.requests) {
    completions_.push_back({disk.address, request.request.cookie, false});
  }
  disk.requests.clear();
  for (const auto& path : disk.paths) {
    path->out = 0;
    path->probes_out = 0;
    path->reset_window();
  }
}

}  // namespace aoe::sim
