#include "support/target_harness.h"

#include "base/check.h"
#include "protocol/dissect.h"

#include <algorithm>
#include <array>
#include <utility>

namespace aoe::test {

using target::ExportSettings;
using target::ExportStoreOp;
using target::PersistentState;
using target::StateSave;
using target::TargetEvent;
using target::TxFrame;

namespace {

// What lies in a buffer before the core writes to it: anything of this on the wire is a leak.
constexpr std::byte kDirt{0xEE};

}  // namespace

PacketBuffer ReceivedFrames::make(ConstByteSpan frame) {
  const std::uint32_t index = next_++;
  auto memory = std::make_unique<std::byte[]>(frame.size());
  const ByteSpan bytes(memory.get(), frame.size());
  copy_bytes(bytes, frame);
  frames_[index] = std::move(memory);
  return {*this, index, bytes, bytes.size()};
}

TargetHarness::TargetHarness(const HarnessOptions& options)
    : options_(options),
      pool_({.count = options.buffers, .frame_bytes = options.frame_bytes}),
      core_(std::make_unique<target::TargetCore>(options.limits, pool_, Prng(options.seed))) {
  dirty_buffers();
  set_port(PortId{0}, {.mac = kTargetMac, .mtu_bytes = options.mtu_bytes, .link_up = true});
}

void TargetHarness::dirty_buffers() {
  // The pool gives out first what came back last: these are what nearly every test ever uses, and
  // the rest would be most of its time.
  constexpr std::size_t kUsed = 128;
  std::vector<PacketBuffer> all;
  while (all.size() < kUsed) {
    PacketBuffer buffer = pool_.allocate();
    if (!buffer) {
      return;
    }
    buffer.resize(buffer.capacity());
    std::fill(buffer.bytes().begin(), buffer.bytes().end(), kDirt);
    all.push_back(std::move(buffer));
  }
}

ExportSettings TargetHarness::settings(DeviceAddress address, std::uint64_t sector_count) {
  ExportSettings settings;
  settings.address = address;
  settings.sector_count = sector_count;
  settings.can_discard = true;
  settings.discard_reads_zero = true;
  return settings;
}

ExportId TargetHarness::add(const ExportSettings& settings, PersistentState state) {
  const auto added = core_->add_export(now_, settings, std::move(state));
  AOE_CHECK(added, "the export of a test can be added");
  disks_.emplace(added->value, ModelDisk(settings.sector_count));
  run();
  return *added;
}

ExportId TargetHarness::serve(const ExportSettings& settings, PersistentState state) {
  const ExportId id = add(settings, std::move(state));
  advance(options_.limits.probe_time + Duration::milliseconds(5));
  (void)take_frames();
  (void)take_events();
  return id;
}

const target::Export& TargetHarness::at(DeviceAddress address) {
  const target::Export* found = core_->find(address);
  AOE_CHECK(found != nullptr, "the export of a test is there");
  return *found;
}

void TargetHarness::deliver(const Bytes& frame, PortId port) {
  PacketBuffer buffer = received_.make(frame);
  buffer.set_waited_ms(waited_ms_);
  if (on_receive) {
    on_receive(std::as_const(buffer).bytes());
  }
  core_->handle_frame(now_, port, std::move(buffer));
  run();
}

std::vector<SentFrame> TargetHarness::answers(const Bytes& frame, PortId port) {
  (void)take_frames();
  deliver(frame, port);
  return take_frames();
}

SentFrame TargetHarness::answer(const Bytes& frame, PortId port) {
  std::vector<SentFrame> all = answers(frame, port);
  return all.size() == 1 ? std::move(all.front()) : SentFrame{};
}

void TargetHarness::set_port(PortId port, const PortInfo& info) {
  ports_[port.value] = info;
  core_->handle_port(now_, port, info);
  run();
}

void TargetHarness::advance(Duration duration) {
  const Instant end = now_ + duration;
  for (;;) {
    const auto next = core_->poll_timeout();
    if (!next || *next > end) {
      break;
    }
    // A deadline of the past is due now; one that stays in the past would never let time pass.
    const bool is_past = *next <= now_;
    now_ = std::max(now_, *next);
    core_->handle_timeout(now_);
    run();
    const auto again = core_->poll_timeout();
    if (is_past && again && *again <= now_) {
      problems_ += "a deadline stays in the past\n";
      break;
    }
  }
  now_ = end;
}

void TargetHarness::finish(ExportId id, std::size_t index, StoreErrc status) {
  core_->handle_store_done(now_, disk(id).finish(index, status));
  run();
}

void TargetHarness::finish_all(ExportId id) {
  while (disk(id).waiting() != 0) {
    finish(id);
  }
}

void TargetHarness::finish_save(Saved saved) {
  AOE_CHECK(!held_saves_.empty(), "the test answers a save that waits");
  StateSave save = std::move(held_saves_.front());
  held_saves_.erase(held_saves_.begin());
  if (saved == Saved::yes) {
    saved_[save.address] = save.bytes;
  }
  core_->handle_state_saved(now_, save.export_id, save.generation, saved);
  run();
}

void TargetHarness::run() {
  while (run_stores() || run_saves() || run_transmit()) {
  }
  std::array<TargetEvent, 8> events;
  for (std::size_t count = 1; count != 0;) {
    count = core_->poll_events(events);
    events_.insert(events_.end(), events.begin(),
                   events.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

bool TargetHarness::run_stores() {
  std::array<ExportStoreOp, 4> ops;
  const std::size_t count = core_->poll_store_ops(ops);
  for (std::size_t i = 0; i < count; ++i) {
    if (on_store_op) {
      on_store_op(ops[i].export_id, ops[i].op);
    }
    if (const auto done = disk(ops[i].export_id).submit(ops[i].op)) {
      core_->handle_store_done(now_, *done);
    }
  }
  return count != 0;
}

bool TargetHarness::run_saves() {
  auto save = core_->poll_state_save();
  if (!save) {
    return false;
  }
  ++save_count_;
  held_saves_.push_back(std::move(*save));
  if (!is_holding_saves_) {
    finish_save(save_result_);
  }
  return true;
}

bool TargetHarness::run_transmit() {
  std::array<TxFrame, 4> frames;
  const std::size_t count = core_->poll_transmit(frames);
  for (std::size_t i = 0; i < count; ++i) {
    const std::span<std::byte> bytes = frames[i].frame.bytes();
    sent_.push_back({frames[i].port, Bytes(bytes.begin(), bytes.end())});
    check_sent(sent_.back());
    // The next user of the buffer finds dirt in it, as it would find another frame in life.
    frames[i].frame.resize(frames[i].frame.capacity());
    std::fill(frames[i].frame.bytes().begin(), frames[i].frame.bytes().end(), kDirt);
    frames[i].frame.reset();
  }
  return count != 0;
}

void TargetHarness::check_sent(const SentFrame& frame) {
  const auto complain = [&](const char* what) {
    problems_ += std::string(what) + ": " + protocol::dissect_line(frame.bytes) + "\n";
  };
  const auto header = protocol::parse_header(frame.bytes);
  if (!header) {
    complain("a sent frame has no AoE header");
    return;
  }
  const PortInfo& port = ports_[frame.port.value];
  if (frame.bytes.size() < protocol::kFrameBytesMin) {
    complain("a sent frame is shorter than Ethernet's minimum");
  }
  if (frame.bytes.size() > port.mtu_bytes + protocol::kEthernetHeaderBytes || !port.link_up) {
    complain("a sent frame does not fit its port");
  }
  if (header->source != port.mac) {
    complain("a sent frame does not come from its port");
  }
  if (header->version != protocol::kVersion) {
    complain("a sent frame has another version");
  }
  if (load_u8(frame.bytes, 14) & 0x03U) {
    complain("a sent frame has reserved flags");
  }
  if (!header->is_error && header->error != 0) {
    complain("a sent frame has an error code without the flag");
  }
  const bool is_config = header->command == static_cast<std::uint8_t>(protocol::Command::config);
  const bool may_be_group = is_config && (!header->is_response || header->tag == Tag{0});
  if (header->destination.is_group() && !may_be_group) {
    complain("an answer goes to a group address");
  }
  if (!header->is_response && !(is_config && header->destination == MacAddress::broadcast())) {
    complain("a request was sent that is not an address probe");
  }
}

Bytes TargetHarness::saved_state(DeviceAddress address) const {
  const auto found = saved_.find(address);
  return found == saved_.end() ? Bytes{} : found->second;
}

std::string TargetHarness::problems() const {
  std::string report = problems_;
  for (const auto& [id, disk] : disks_) {
    report += disk.problems();
  }
  return report;
}

std::string TargetHarness::unfinished() const {
  std::string report = problems();
  if (core_->requests_in_flight() != 0) {
    report += std::to_string(core_->requests_in_flight()) + " requests are in flight\n";
  }
  if (pool_.available() != pool_.count()) {
    report += std::to_string(buffers_out()) + " buffers did not return\n";
  }
  if (received_.outstanding() != 0) {
    report += std::to_string(received_.outstanding()) + " received frames are held\n";
  }
  if (!held_saves_.empty()) {
    report += std::to_string(held_saves_.size()) + " saves wait for an answer\n";
  }
  for (const target::Export* subject : core_->exports()) {
    if (subject->stats.in_flight != 0) {
      report += to_string(subject->settings.address) + " counts requests in flight\n";
    }
  }
  for (const auto& [id, disk] : disks_) {
    if (disk.waiting() != 0) {
      report += "a disk has operations that wait\n";
    }
  }
  return report;
}

}  // namespace aoe::test
