#include "micro/target_turn.h"

#include "base/check.h"

#include <algorithm>
#include <span>
#include <utility>

namespace aoe::bench {
namespace {

constexpr std::size_t kMtuBytes = 9000;
constexpr MacAddress kTargetMac{{0x02, 0, 0, 0, 0, 0x0b}};
constexpr MacAddress kInitiatorMac{{0x02, 0, 0, 0, 0, 0x0a}};
constexpr DeviceAddress kAddress{Shelf{7}, aoe::Slot{1}};

target::TargetLimits limits() {
  target::TargetLimits limits;
  limits.exports_max = 16;
  limits.initiators_max = 16;
  limits.sessions_max = 16;
  return limits;
}

std::vector<std::byte> request(TargetTurn::Op op, std::size_t data_bytes, std::uint64_t block) {
  const bool is_write = op == TargetTurn::Op::write;
  const std::size_t bytes = protocol::kAtaHeaderBytes + (is_write ? data_bytes : 0);
  std::vector<std::byte> frame(std::max(protocol::kFrameBytesMin, bytes));
  protocol::FrameHeader header;
  header.destination = kTargetMac;
  header.source = kInitiatorMac;
  header.address = kAddress;
  header.tag = Tag{static_cast<std::uint32_t>(block)};
  protocol::build_header(frame, header);
  protocol::AtaArgument ata;
  ata.flags = static_cast<std::uint8_t>(protocol::kAtaFlagExtended |
                                        (is_write ? protocol::kAtaFlagWrite : std::uint8_t{0}));
  ata.sector_count = static_cast<std::uint8_t>(data_bytes / kSectorBytes);
  ata.command_status = is_write ? 0x34 : 0x24;
  ata.set_lba48(Lba{block * data_bytes / kSectorBytes});
  protocol::build_ata(frame, ata);
  return frame;
}

}  // namespace

TargetTurn::TargetTurn(Op op, std::size_t data_bytes)
    : pool_({.count = 2048, .frame_bytes = kMtuBytes + protocol::kEthernetHeaderBytes}),
      core_(limits(), pool_, Prng(1)),
      store_(storage::MemoryStore::open(kDiskBytes, 128).value()) {
  core_.handle_port(now_, PortId{0}, {.mac = kTargetMac, .mtu_bytes = kMtuBytes, .link_up = true});
  target::ExportSettings settings;
  settings.address = kAddress;
  settings.sector_count = kDiskBytes / kSectorBytes;
  settings.has_stale_write_guard = false;
  AOE_CHECK(core_.add_export(now_, settings, {}).has_value(), "an empty core takes an export");
  // It listens for another station at its address before it serves.
  for (int step = 0; step < 20; ++step) {
    now_ = now_ + Duration::milliseconds(100);
    core_.handle_timeout(now_);
    while (const auto save = core_.poll_state_save()) {
      core_.handle_state_saved(now_, save->export_id, save->generation,
                               target::StateKeeper::Saved::yes);
    }
    while (core_.poll_transmit(tx_) != 0) {
      tx_ = {};
    }
  }
  for (std::size_t i = 0; i < kBatch; ++i) {
    // Strewn over the disk: neighbours would be no work for the table of ranges.
    frames_.push_back(request(op, data_bytes, i * 7 % (kDiskBytes / data_bytes)));
  }
}

void TargetTurn::run() {
  now_ = now_ + Duration::microseconds(20);
  core_.handle_timeout(now_);
  for (std::uint32_t i = 0; i < frames_.size(); ++i) {
    core_.handle_frame(now_, PortId{0}, PacketBuffer(owner_, i, frames_[i], frames_[i].size()));
  }
  const std::size_t count = core_.poll_store_ops(ops_);
  for (std::size_t i = 0; i < count; ++i) {
    batch_[i] = ops_[i].op;
  }
  store_->submit(now_, std::span(batch_).first(count));
  const std::size_t finished = store_->poll_completions(now_, done_);
  for (std::size_t i = 0; i < finished; ++i) {
    core_.handle_store_done(now_, done_[i]);
  }
  const std::size_t sent = core_.poll_transmit(tx_);
  for (target::TxFrame& frame : std::span(tx_).first(sent)) {
    frame.frame.reset();
  }
  answers_ += sent;
}

}  // namespace aoe::bench
