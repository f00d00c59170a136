// A machine that uses disks: the real initiator core with ports, buffers and a clock around it.
#pragma once

#include "base/buffer_pool.h"
#include "initiator/initiator_core.h"
#include "sim/actors/station.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace aoe::sim {

// Who owns the requests of a host: a workload, or a scenario.
class IoUser {
 public:
  IoUser() = default;
  virtual ~IoUser() = default;
  IoUser(const IoUser&) = delete;
  IoUser& operator=(const IoUser&) = delete;

  // May submit again at once.
  virtual void on_completion(const initiator::IoCompletion& done) = 0;

  virtual void on_command_completion(const initiator::CommandCompletion& /*done*/) {}

  virtual void on_initiator_event(const initiator::Event& /*event*/) {}

  // A timer that was set with InitiatorHost::call_at() has come.
  virtual void on_time(std::uint64_t /*value*/) {}

  // The machine crashed: nothing of what was submitted will complete, and its memory is free.
  virtual void on_crash() {}

  // It starts again, with a new core in which nothing is open.
  virtual void on_restart() {}
};

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

class InitiatorHost final : public Station {
 public:
  InitiatorHost(World& world, const InitiatorHostOptions& options);
  ~InitiatorHost() override;

  void set_user(IoUser* user) { user_ = user; }

  void set_tap(InitiatorTap* tap) { tap_ = tap; }

  [[nodiscard]] const InitiatorHostOptions& options() const { return options_; }

  // After the ports were added.
  void start();

  [[nodiscard]] initiator::InitiatorCore& core() { return *core_; }

  // Frames that would be sent now wait for the end of the caller's turn: call settle().
  [[nodiscard]] Result<initiator::DeviceId, initiator::SubmitError> open(
      DeviceAddress address, const initiator::DeviceSettings& settings);
  [[nodiscard]] Result<void, initiator::SubmitError> submit(initiator::DeviceId device,
                                                            const initiator::IoRequest& request);
  [[nodiscard]] Result<void, initiator::SubmitError> submit_command(
      const initiator::CommandRequest& request);
  void close(initiator::DeviceId device);

  // Sends, completes and sets the timer. Not from within an IoUser's calls, which are followed by
  // it.
  void settle();

  // Loses everything in memory; starts again after `off`.
  void crash(Duration off);

  [[nodiscard]] bool is_up() const { return core_ != nullptr; }

  // Over all its lives.
  [[nodiscard]] initiator::CoreStats total_stats() const;

  // Send buffers that are in use.
  [[nodiscard]] std::uint64_t buffers_out() const {
    return pool_ == nullptr ? 0 : pool_->count() - pool_->available();
  }

  void call_at(Instant when, std::uint64_t value);

 private:
  enum OwnEvent : std::uint32_t { kRestart = kFirstOwnEvent, kCall };

  void on_frame(PortId port, PacketBuffer frame) override;
  void on_port(PortId port, const PortInfo& info) override;
  void on_wake() override;
  void on_own_event(Instant now, std::uint32_t what, std::uint64_t value) override;
  [[nodiscard]] bool send_some();
  [[nodiscard]] bool complete_some();

  static constexpr std::size_t kBatch = 16;

  InitiatorHostOptions options_;
  std::uint64_t lives_ = 0;
  IoUser* user_ = nullptr;
  InitiatorTap* tap_ = nullptr;
  initiator::CoreStats past_stats_{};
  std::unique_ptr<BufferPool> pool_;
  std::unique_ptr<initiator::InitiatorCore> core_;
  // Not on the stack: making and destroying them every time costs more than using them.
  std::array<initiator::TxFrame, kBatch> frames_;
  std::array<initiator::IoCompletion, kBatch> done_;
  initiator::CommandCompletion command_done_;
  initiator::Event event_;
};

}  // namespace aoe::sim
