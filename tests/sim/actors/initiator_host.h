// A machine that uses disks: the real initiator core with ports, buffers and a clock around it.
#pragma once

#include "base/buffer_pool.h"
#include "initiator/initiator_core.h"
#include "sim/actors/block_machine.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace aoe::sim {

// Sees every frame that an initiator sends: the checkers.
class InitiatorTap {
 public:
  InitiatorTap() = default;
  virtual ~InitiatorTap() = default;
  InitiatorTap(const InitiatorTap&) = delete;
  InitiatorTap& operator=(const InitiatorTap&) = delete;

  virtual void on_initiator_frame(ConstByteSpan frame) = 0;
};

struct InitiatorHostOptions {
  std::uint32_t index = 0;  // names its chance
  initiator::CoreOptions core{};
  std::uint32_t buffers = 256;
  std::size_t frame_bytes = 9014;
  std::int32_t drift_ppm = 0;
};

class InitiatorHost final : public BlockMachine {
 public:
  InitiatorHost(World& world, const InitiatorHostOptions& options);
  ~InitiatorHost() override;

  void set_tap(InitiatorTap* tap) { tap_ = tap; }

  [[nodiscard]] const InitiatorHostOptions& options() const { return options_; }

  void start() override;

  [[nodiscard]] initiator::InitiatorCore& core() { return *core_; }

  [[nodiscard]] Result<initiator::DeviceId, initiator::SubmitError> open(
      DeviceAddress address, const initiator::DeviceSettings& settings) override;
  [[nodiscard]] Result<void, initiator::SubmitError> submit(
      initiator::DeviceId device, const initiator::IoRequest& request) override;
  [[nodiscard]] Result<void, initiator::SubmitError> submit_command(
      const initiator::CommandRequest& request);
  void close(initiator::DeviceId device);

  void settle() override;

  // Loses everything in memory; starts again after `off`.
  void crash(Duration off);

  [[nodiscard]] bool is_up() const override { return core_ != nullptr; }

  [[nodiscard]] std::uint32_t number() const override { return options_.index; }

  [[nodiscard]] std::string describe(initiator::DeviceId device) const override;

  // Over all its lives.
  [[nodiscard]] initiator::CoreStats total_stats() const;

  // Over all its lives: how often the tags of an exchange began again.
  [[nodiscard]] std::uint64_t tag_wraps() const {
    return past_tag_wraps_ + (core_ == nullptr ? 0 : core_->tag_wraps());
  }

  // Send buffers that are in use.
  [[nodiscard]] std::uint64_t buffers_out() const {
    return pool_ == nullptr ? 0 : pool_->count() - pool_->available();
  }

 private:
  static constexpr std::uint32_t kRestart = kFirstDriverEvent;

  void on_frame(PortId port, PacketBuffer frame) override;
  void on_port(PortId port, const PortInfo& info) override;
  void on_wake() override;
  void on_driver_event(Instant now, std::uint32_t what, std::uint64_t value) override;
  [[nodiscard]] bool send_some();
  [[nodiscard]] bool complete_some();

  static constexpr std::size_t kBatch = 16;

  InitiatorHostOptions options_;
  std::uint64_t lives_ = 0;
  InitiatorTap* tap_ = nullptr;
  initiator::CoreStats past_stats_{};
  std::uint64_t past_tag_wraps_ = 0;
  std::unique_ptr<BufferPool> pool_;
  std::unique_ptr<initiator::InitiatorCore> core_;
  // Not on the stack: making and destroying them every time costs more than using them.
  std::array<initiator::TxFrame, kBatch> frames_;
  std::array<initiator::IoCompletion, kBatch> done_;
  initiator::CommandCompletion command_done_;
  initiator::Event event_;
};

}  // namespace aoe::sim
