// Which paths lead to a device, and what is known of each.
#pragma once

#include "initiator/core_context.h"
#include "initiator/discovery.h"
#include "initiator/io_engine.h"
#include "initiator/path_prober.h"
#include "protocol/aoe_frame.h"
#include "protocol/aoe_session.h"

#include <cstdint>
#include <optional>

namespace aoe::initiator {

// The life of a path:
//
//   offered by a config answer -> probing: IDENTIFY, then hello -> live <-> suspect
//        |                           |                               |  link down
//        +-- quarantined <-----------+                               +-> down -> probing
//
// A path carries data only when the disk behind it is the device's (serial, model, world wide name,
// size), when it is settled which protocol the target speaks, and while no other target serves the
// disk unless the settings allow several. What is quarantined is looked at again whenever it is
// offered, and when nothing else serves.
//
// A live path is identified again when a config answer comes, when a target says that a sector
// inside the disk does not exist, and when it forgot our session.
class PathKeeper {
 public:
  PathKeeper(const CoreContext& context, PathProber& prober, IoEngine& io)
      : context_(context), prober_(prober), io_(io) {}

  // A port that was told of before has other properties now; `came_up`: what was sent before is
  // answered to nobody.
  enum class PortChange : std::uint8_t { properties, came_up };
  void on_port(Instant now, PortId port, PortChange change);

  // A target says that it has the device.
  void on_offer(Instant now, DeviceId id, const TargetTable::Answer& from,
                const TargetLimits& limits);

  // An answer to the question `slot`, from the path that it was sent over.
  void on_answer(Instant now, std::uint32_t slot, const protocol::FrameHeader& header,
                 ConstByteSpan frame);
  // The question `slot` was not answered.
  void on_expiry(Instant now, std::uint32_t slot);

  // An answer of kind hello to the sealed frame of exchange `slot`, which came over the path.
  void on_renew(Instant now, std::uint32_t slot, std::uint32_t path, ConstByteSpan frame);

  // Data of the path were answered: looks whether that raises a question.
  void after_data_answer(Instant now, DeviceId id, std::uint32_t path);
  // Puts the questions that lost frames have raised; to be called after any input of IoEngine.
  void on_doubts(Instant now);

  // Sizes to try again, devices that are lost.
  void on_time(Instant now);
  [[nodiscard]] std::optional<Instant> next_time() const;

  // The settings of the device are others.
  void on_settings(Instant now, DeviceId id);

  void forget(DeviceId id);

 private:
  [[nodiscard]] Device& device(DeviceId id) { return *context_.devices[id.value]; }

  [[nodiscard]] Path& path_at(DeviceId id, std::uint32_t path) {
    return device(id).paths().at(path);
  }

  [[nodiscard]] std::optional<std::uint32_t> add_path(DeviceId id, const TargetTable::Answer& from);
  void limit(DeviceId id, std::uint32_t path);

  void on_identify(Instant now, std::uint32_t slot, const protocol::FrameHeader& header,
                   ConstByteSpan frame);
  void on_identity_silence(Instant now, std::uint32_t slot);
  void on_identity(Instant now, DeviceId id, std::uint32_t path,
                   const protocol::IdentifyModel& model);
  void resized(Instant now, DeviceId id, std::uint32_t path, std::uint64_t sectors_before);
  void on_hello(Instant now, std::uint32_t slot, const protocol::FrameHeader& header,
                ConstByteSpan frame);
  void settle_plain(Instant now, DeviceId id, std::uint32_t path);
  void settle_session(Instant now, DeviceId id, std::uint32_t path, const protocol::Hello& hello);
  void on_hello_silence(Instant now, std::uint32_t slot);
  void on_size_answer(Instant now, std::uint32_t slot, const protocol::FrameHeader& header,
                      ConstByteSpan frame);
  void on_size_silence(Instant now, std::uint32_t slot);
  void on_control_answer(Instant now, std::uint32_t slot, const protocol::FrameHeader& header,
                         ConstByteSpan frame);
  // The answer to a read of ours without its seal; nothing when that is not what is due.
  [[nodiscard]] std::optional<ConstByteSpan> opened_answer(const Exchange& exchange,
                                                           ConstByteSpan frame);
  void stop_asking_size(const Exchange& exchange);
  void size_refused(Instant now, std::uint32_t slot);
  void size_vanished(Instant now, std::uint32_t slot);
  void ask_size(Instant now, DeviceId id, std::uint32_t path);

  void look_again(Instant now, DeviceId id, std::uint32_t path);
  // Asks what is not settled and is not being asked.
  void ask_what_is_open(Instant now, DeviceId id, std::uint32_t path);
  // Both questions are settled: may it carry data?
  void admit(Instant now, DeviceId id, std::uint32_t path);
  void come_alive_unless_held(Instant now, DeviceId id, std::uint32_t path);
  void release_held(Instant now, DeviceId id);
  void came_alive(Instant now, DeviceId id, std::uint32_t path);
  void went(Instant now, DeviceId id, std::uint32_t path, PathState state);
  void quarantine(Instant now, DeviceId id, std::uint32_t path, QuarantineReason reason);
  void refresh(Instant now, DeviceId id);
  void emit(EventKind kind, DeviceId id, const Path& path);
  void emit_payload(EventKind kind, DeviceId id, const Path& path, std::uint32_t sectors_before);
  [[nodiscard]] bool may_have_many(DeviceId id);

  CoreContext context_;
  PathProber& prober_;
  IoEngine& io_;
};

}  // namespace aoe::initiator
