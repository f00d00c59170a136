// Devices as block devices of this host: who asked for what, and what has become of it.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "control/server.h"
#include "frontends/block/attach_process.h"
#include "initiator/initiator_core.h"
#include "initiatord/device_keeper.h"
#include "initiatord/event_text.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace aoe::initiatord {

// Hands commands to the attach process and tells the keeper what its devices are attached as. Lives
// on the loop's thread; the keeper outlives it.
class Attacher {
 public:
  struct Surroundings {
    std::string links{};  // where attached devices have their names
    // The device for a process that serves it with an initiator of its own.
    std::function<std::string(const DeviceConfig& device, block::Access access)> uri{};
    // The device became a block device, or is none any more.
    std::function<void(Attachment what, DeviceAddress address, const std::string& block_device)>
        tell{};
  };

  // First goes on with the block devices that outlive a daemon, and gives back what else one that
  // crashed has left.
  Attacher(Instant now, DeviceKeeper& keeper, std::unique_ptr<block::AttachProcess> process,
           Surroundings surroundings);

  [[nodiscard]] int wait_fd() const { return process_->wait_fd(); }

  void handle_readable();

  struct Wish {
    DeviceAddress address;
    std::string via = "auto";
    block::Access access = block::Access::read_write;
  };

  // Both answer when it is done. Errors: not_found, unavailable (no path reaches the device),
  // already_exists (it is attached), busy (the last command for it is under way, or it is in use),
  // timed_out (the disk does not answer), those of block::choose.
  //
  // A disk may have died since it last answered, and its partitions are read: then the one who
  // asked is told before he stops waiting, and the block device is taken away when it comes.
  void attach(Instant now, const Wish& wish, control::Reply reply);
  void detach(DeviceAddress address, control::Reply reply);

  // What the core told: sizes follow, and devices that are to be attached by themselves are.
  void handle_event(Instant now, const initiator::Event& event);

  // Once a second or so: who waits too long, and which block devices somebody else has taken away.
  void look_around(Instant now);

  // A file of the device was closed. When it was the last and the device is attached, its block
  // device was taken away by hand.
  void handle_release(DeviceAddress address);

  // Looks for new and vanished partitions, and whether its process still serves it.
  void update(DeviceAddress address);

 private:
  struct Pending {
    block::AttachOp op = block::AttachOp::attach;
    DeviceAddress address;
    control::Reply reply;                 // answers nothing when nobody asked
    std::optional<Instant> give_up_at{};  // of attach: the one who asked is told then
    bool is_given_up = false;
  };

  [[nodiscard]] Result<KeptDevice*> find(DeviceAddress address);
  [[nodiscard]] Result<void> check_attachable(const KeptDevice& device) const;
  // Sends a command for the device, or for none.
  [[nodiscard]] Result<void> send(block::AttachCommand command, control::Reply& reply);
  void handle_answer(const block::AttachAnswer& answer);
  void end_attach(Pending& pending, const block::AttachAnswer& answer);
  void end_detach(Pending& pending, const block::AttachAnswer& answer);
  void adopt(Instant now, DeviceAddress address, const std::string& device);
  void resume(const KeptDevice& device);
  void forget(KeptDevice& device);
  // The device is no block device any more.
  void note_detached(KeptDevice& device);
  [[nodiscard]] block::AttachCommand command_for(block::AttachOp op,
                                                 const KeptDevice& device) const;

  DeviceKeeper& keeper_;
  std::unique_ptr<block::AttachProcess> process_;
  Surroundings surroundings_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Pending> pending_;
};

}  // namespace aoe::initiatord
