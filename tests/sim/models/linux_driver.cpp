// Discovery, answers and the block layer's side.
#include "sim/models/linux_driver.h"

#include "protocol/aoe_ata.h"
#include "protocol/aoe_config.h"
#include "protocol/aoe_frame.h"
#include "protocol/ata_command.h"
#include "protocol/ata_identify.h"
#include "sim/models/linux_driver_state.h"

#include <algorithm>
#include <utility>

namespace aoe::sim {
namespace {

using protocol::AtaKind;

constexpr std::uint32_t kTagUserBit = 0x80000000U;  // answers to programs, not to the driver
constexpr std::size_t kPathsMax = 64;
constexpr std::size_t kPortsMax = 8;
constexpr std::size_t kRequestsMax = 128;  // the block layer's queue depth
constexpr std::uint32_t kDefaultPayloadBytes = 1024;
constexpr std::uint8_t kFailureBits = 0xA9;
constexpr Duration kFirstTick = Duration::seconds(1);
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

// Payload of a path's interface; the driver charges the Ethernet header to the MTU.
std::uint32_t payload_of(std::size_t mtu_bytes, std::uint8_t sectors_max) {
  const std::size_t fits = (mtu_bytes - protocol::kAtaHeaderBytes) / kSectorBytes;
  const std::size_t sectors = std::min<std::size_t>(fits, sectors_max);
  return sectors == 0 ? kDefaultPayloadBytes : static_cast<std::uint32_t>(sectors * kSectorBytes);
}

}  // namespace

void LinuxDisk::sample(Duration round_trip, LinuxPath* path) {
  std::int64_t error = round_trip.ns / 1000 - (average >> 8U);
  average += error;
  error = error < 0 ? -error : error;
  deviation += error - (deviation >> 3U);
  if (path == nullptr || path->window >= path->frames_max) {
    return;
  }
  if (path->window < path->slow_start_until) {
    ++path->window;
  } else if (path->out == path->window && path->answers_until_growth-- == 0) {
    ++path->window;
    path->answers_until_growth = path->window;
  }
}

LinuxDriver::LinuxDriver(const Options& options) : options_(options) {}

LinuxDriver::~LinuxDriver() = default;

void LinuxDriver::add_interface(PortId port, const MacAddress& mac, std::size_t mtu_bytes) {
  interfaces_.push_back({port, mac, mtu_bytes});
}

const LinuxDriver::Interface* LinuxDriver::interface(PortId port) const {
  const auto found = std::find_if(interfaces_.begin(), interfaces_.end(),
                                  [port](const Interface& one) { return one.port == port; });
  return found == interfaces_.end() ? nullptr : &*found;
}

LinuxDisk* LinuxDriver::find(DeviceAddress address) const {
  for (const auto& disk : disks_) {
    if (disk->address == address) {
      return disk.get();
    }
  }
  return nullptr;
}

std::uint32_t LinuxDriver::ticks(Instant now) const {
  return options_.first_ticks +
         static_cast<std::uint32_t>(now.ns / (kNsPerSecond / options_.ticks_per_second));
}

std::uint32_t LinuxDriver::new_tag(Instant now, LinuxDisk& disk) const {
  ++disk.last_tag;
  return (disk.last_tag & 0x7FFFU) << 16U | (ticks(now) & 0xFFFFU);
}

// --- discovery ---

void LinuxDriver::discover(DeviceAddress address) {
  for (const Interface& one : interfaces_) {
    Outgoing out{one.port, std::vector<std::byte>(protocol::kFrameBytesMin)};
    protocol::build_header(out.bytes,
                           {.destination = MacAddress::broadcast(),
                            .source = one.mac,
                            .address = address,
                            .command = static_cast<std::uint8_t>(protocol::Command::config)});
    protocol::build_config(out.bytes, {});
    outgoing_.push_back(std::move(out));
  }
}

void LinuxDriver::handle_frame(Instant now, PortId port, ConstByteSpan frame) {
  const auto header = protocol::parse_header(frame);
  if (!header || interface(port) == nullptr || !header->is_response || header->is_error ||
      (header->tag.value & kTagUserBit) != 0) {
    return;
  }
  if (header->command == static_cast<std::uint8_t>(protocol::Command::config)) {
    on_config(now, port, frame);
  } else if (header->command == static_cast<std::uint8_t>(protocol::Command::ata)) {
    on_ata(now, port, frame);
  }
}

void LinuxDriver::on_config(Instant now, PortId port, ConstByteSpan frame) {
  const protocol::FrameHeader header = *protocol::parse_header(frame);
  const auto config = protocol::parse_config(frame);
  if (!config || header.address.shelf == protocol::kUnsetShelf ||
      header.address.shelf == protocol::kAllShelves || header.address.slot == protocol::kAllSlots) {
    return;
  }
  LinuxDisk* disk = find(header.address);
  if (disk == nullptr) {
    disks_.push_back(std::make_unique<LinuxDisk>());
    disk = disks_.back().get();
    disk->address = header.address;
    disk->next_tick = now + kFirstTick;
  }
  const std::uint32_t frames = std::min<std::uint32_t>(config->buffer_count, options_.maxout);
  LinuxPath* path = nullptr;
  for (const auto& known : disk->paths) {
    path = known->mac == header.source ? known.get() : path;
  }
  if (path == nullptr) {
    if (disk->paths.size() == kPathsMax) {
      return;
    }
    disk->paths.push_back(std::make_unique<LinuxPath>());
    path = disk->paths.back().get();
    path->mac = header.source;
    path->frames_max = frames;
    path->reset_window();
    // A burst, no slow start.
    path->window = frames / 2;
  } else {
    path->frames_max = frames;
    if (frames < path->window) {
      path->reset_window();
    }
  }
  auto own = std::find_if(path->ports.begin(), path->ports.end(),
                          [port](const LinuxPath::Port& one) { return one.port == port; });
  if (own == path->ports.end()) {
    if (path->ports.size() == kPortsMax) {
      return;
    }
    own = path->ports.insert(own, {.port = port});
  }
  own->payload_bytes = payload_of(interface(port)->mtu_bytes, config->sector_count);
  // The smallest of all paths and interfaces.
  disk->payload_bytes = own->payload_bytes;
  for (const auto& known : disk->paths) {
    for (const LinuxPath::Port& one : known->ports) {
      disk->payload_bytes = std::min(disk->payload_bytes, one.payload_bytes);
    }
  }
  if (!disk->is_open) {
    identify(now, *disk);
  }
}

void LinuxDriver::identify(Instant now, LinuxDisk& disk) {
  LinuxPath* path = choose(disk);
  if (path == nullptr) {
    return;
  }
  auto frame = std::make_unique<LinuxFrame>();
  frame->path = path;
  frame->command = static_cast<std::uint8_t>(protocol::AtaOp::identify);
  frame->sectors = 1;
  activate(now, disk, std::move(frame));
  disk.reset_estimators();
  disk.has_retransmit_timer = true;
}

// --- answers ---

void LinuxDriver::on_ata(Instant now, PortId port, ConstByteSpan frame) {
  const protocol::FrameHeader header = *protocol::parse_header(frame);
  LinuxDisk* disk = find(header.address);
  if (disk == nullptr) {
    return;
  }
  std::unique_ptr<LinuxFrame> done;
  if (const auto active = disk->by_tag.find(header.tag.value); active != disk->by_tag.end()) {
    done = std::move(*active->second);
    disk->active.erase(active->second);
    disk->by_tag.erase(active);
    disk->sample(now - done->sent, done->path);
    --done->path->out;
    done->path->probes_out -= done->is_probe ? 1U : 0U;
  } else {
    const auto waits = std::find_if(
        disk->deferred.begin(), disk->deferred.end(),
        [&](const std::unique_ptr<LinuxFrame>& one) { return one->tag == header.tag.value; });
    if (waits != disk->deferred.end()) {
      done = std::move(*waits);
      disk->deferred.erase(waits);
      disk->sample(now - done->sent, nullptr);
    } else {
      // Nobody waits for it; the clock in its tag still makes a sample.
      const std::uint32_t age = (ticks(now) - header.tag.value) & 0xFFFFU;
      disk->sample(Duration::nanoseconds(static_cast<std::int64_t>(age + 1) *
                                         (kNsPerSecond / options_.ticks_per_second)),
                   nullptr);
      ++counters_.unexpected;
      return;
    }
  }
  work(now, *disk);
  complete(now, *disk, *done, port, frame);
  work(now, *disk);
}

void LinuxDriver::complete(Instant now, LinuxDisk& disk, LinuxFrame& frame, PortId port,
                           ConstByteSpan answer) {
  const auto ata = protocol::parse_ata(answer);
  bool ok = ata.has_value() && (ata->argument.command_status & kFailureBits) == 0;
  const AtaKind kind = protocol::find_opcode(frame.command).kind;
  const std::size_t bytes = frame.sectors * kSectorBytes;
  if (ok && kind == AtaKind::read) {
    ok = ata->data.size() >= bytes;
    if (ok && !frame.is_probe) {
      copy_bytes(frame.read_into, ata->data.first(bytes));
    }
  }
  if (ok && (kind == AtaKind::read || kind == AtaKind::write)) {
    for (LinuxPath::Port& one : frame.path->ports) {
      one.lost = one.port == port ? 0 : one.lost;
    }
  }
  if (ok && kind == AtaKind::identify && ata->data.size() >= protocol::kIdentifyBytes) {
    const auto view = protocol::parse_identify(ata->data.first(protocol::kIdentifyBytes));
    disk.sectors = view.model.sector_count;
    disk.has_lba48 = view.model.has_lba48;
    disk.is_up = true;
  }
  LinuxPath& path = *frame.path;
  if (path.taint > 0) {
    --path.taint;
    if (path.taint > 0 && path.probes_out == 0 && disk.untainted() > 0) {
      probe(now, disk, path);
    }
  }
  end_piece(disk, frame.request, ok);
}

void LinuxDriver::end_piece(LinuxDisk& disk, std::uint64_t number, bool ok) {
  const auto found = disk.requests.find(number);
  if (found == disk.requests.end()) {
    return;
  }
  LinuxDisk::Request& request = found->second;
  --request.pieces_out;
  request.failed = request.failed || !ok;
  if (request.pieces_out == 0 && request.sent_bytes == request.bytes) {
    completions_.push_back({disk.address, request.request.cookie, !request.failed});
    disk.requests.erase(found);
  }
}

// --- block layer ---

bool LinuxDriver::is_up(DeviceAddress address) const {
  const LinuxDisk* disk = find(address);
  return disk != nullptr && disk->is_up;
}

std::uint64_t LinuxDriver::sectors(DeviceAddress address) const {
  const LinuxDisk* disk = find(address);
  return disk != nullptr && disk->is_up ? disk->sectors : 0;
}

void LinuxDriver::open(DeviceAddress address) {
  if (LinuxDisk* disk = find(address)) {
    disk->is_open = true;
  }
}

void LinuxDriver::close(DeviceAddress address) {
  if (LinuxDisk* disk = find(address)) {
    disk->is_open = false;
    discover(address);
  }
}

bool LinuxDriver::submit(Instant now, DeviceAddress address, const Request& request) {
  LinuxDisk* disk = find(address);
  if (disk == nullptr || !disk->is_up || disk->requests.size() == kRequestsMax) {
    return false;
  }
  const std::uint64_t number = ++disk->requests_made;
  disk->requests.emplace(
      number, LinuxDisk::Request{.number = number,
                                 .request = request,
                                 .bytes = request.read_into.size() + request.write_from.size()});
  disk->waiting.push_back(number);
  work(now, *disk);
  return true;
}

std::optional<LinuxDriver::Completion> LinuxDriver::poll_completion() {
  if (completions_.empty()) {
    return std::nullopt;
  }
  const Completion completion = completions_.front();
  completions_.pop_front();
  return completion;
}

std::optional<LinuxDriver::Outgoing> LinuxDriver::poll_transmit() {
  if (outgoing_.empty()) {
    return std::nullopt;
  }
  Outgoing out = std::move(outgoing_.front());
  outgoing_.pop_front();
  return out;
}

// --- views ---

Duration LinuxDriver::rto(DeviceAddress address) const {
  const LinuxDisk* disk = find(address);
  return disk == nullptr ? Duration{} : disk->rto();
}

std::uint32_t LinuxDriver::window_frames(DeviceAddress address) const {
  std::uint32_t frames = 0;
  if (const LinuxDisk* disk = find(address)) {
    for (const auto& path : disk->paths) {
      frames += path->window;
    }
  }
  return frames;
}

}  // namespace aoe::sim
