// A machine whose users read and write disks, whatever driver it has.
#pragma once

#include "initiator/io_request.h"
#include "initiator/options.h"
#include "sim/actors/station.h"

#include <cstdint>
#include <string>

namespace aoe::sim {

// Who owns the requests of a machine: a workload, or a scenario.
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

  // A timer that was set with call_at() has come.
  virtual void on_time(std::uint64_t /*value*/) {}

  // The machine crashed: nothing of what was submitted will complete, and its memory is free.
  virtual void on_crash() {}

  // It starts again; nothing is open.
  virtual void on_restart() {}
};

class BlockMachine : public Station {
 public:
  using Station::Station;

  void set_user(IoUser* user) { user_ = user; }

  // After the ports were added.
  virtual void start() = 0;

  // The requests and answers are those of our own initiator; other drivers know fewer kinds. What
  // is to be sent waits for settle(), which is not for calls from within an IoUser's: they are
  // followed by it.
  [[nodiscard]] virtual Result<initiator::DeviceId, initiator::SubmitError> open(
      DeviceAddress address, const initiator::DeviceSettings& settings) = 0;
  [[nodiscard]] virtual Result<void, initiator::SubmitError> submit(
      initiator::DeviceId device, const initiator::IoRequest& request) = 0;
  virtual void settle() = 0;
  [[nodiscard]] virtual bool is_up() const = 0;

  // The machine's number, for messages.
  [[nodiscard]] virtual std::uint32_t number() const = 0;

  // The paths of a device, for messages.
  [[nodiscard]] virtual std::string describe(initiator::DeviceId device) const = 0;

  // IoUser::on_time() with `value`.
  void call_at(Instant when, std::uint64_t value) {
    world().events().schedule(when, *this, kCall, value);
  }

 protected:
  static constexpr std::uint32_t kCall = kFirstOwnEvent;
  static constexpr std::uint32_t kFirstDriverEvent = kCall + 1;

  void on_own_event(Instant now, std::uint32_t what, std::uint64_t value) final {
    if (what != kCall) {
      on_driver_event(now, what, value);
    } else if (user_ != nullptr) {
      user_->on_time(value);
      settle();
    }
  }

  virtual void on_driver_event(Instant /*now*/, std::uint32_t /*what*/, std::uint64_t /*value*/) {}

  [[nodiscard]] IoUser* user() { return user_; }

 private:
  IoUser* user_ = nullptr;
};

}  // namespace aoe::sim
