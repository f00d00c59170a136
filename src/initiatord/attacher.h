// Devices as block devices of this host: who asked for what, and what has become of it.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "control/server.h"
#include "frontends/block/attach_process.h"
#include "initiator/initiator_core.h"
#include "initiatord/device_keeper.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace aoe::initiatord {

// Hands commands to the attach process and tells the keeper what its devices are attached as. Lives
// on the loop's thread; the keeper outlives it.
class Attacher {
 public:
  // First gives back what a daemon that crashed has left.
  Attacher(DeviceKeeper& keeper, std::unique_ptr<block::AttachProcess> process);

  [[nodiscard]] int wait_fd() const { return process_->wait_fd(); }

  void handle_readable();

  struct Wish {
    DeviceAddress address;
    std::string via = "auto";
    block::Access access = block::Access::read_write;
  };

  // Both answer when it is done. Errors: not_found, unavailable (no path reaches the device),
  // already_exists (it is attached), busy (the last command for it is under way, or it is in use),
  // those of block::choose.
  void attach(const Wish& wish, control::Reply reply);
  void detach(DeviceAddress address, control::Reply reply);

  // What the core told: sizes follow, and devices that are to be attached by themselves are.
  void handle_event(const initiator::Event& event);

  // A file of the device was closed. When it was the last and the device is attached, its block
  // device was taken away by hand.
  void handle_release(DeviceAddress address);

  // Looks for new and vanished partitions.
  void update(DeviceAddress address);

 private:
  struct Pending {
    block::AttachOp op = block::AttachOp::attach;
    DeviceAddress address;
    control::Reply reply;  // answers nothing when nobody asked
  };

  [[nodiscard]] Result<KeptDevice*> find(DeviceAddress address);
  [[nodiscard]] Result<void> check_attachable(const KeptDevice& device) const;
  // Sends a command for the device, or for none.
  [[nodiscard]] Result<void> send(block::AttachCommand command, control::Reply& reply);
  void handle_answer(const block::AttachAnswer& answer);
  void end_attach(Pending& pending, const block::AttachAnswer& answer);
  void end_detach(Pending& pending, const block::AttachAnswer& answer);

  DeviceKeeper& keeper_;
  std::unique_ptr<block::AttachProcess> process_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Pending> pending_;
};

}  // namespace aoe::initiatord
