// Devices as block devices of this host: who asked for what, and what has become of it.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "control/server.h"
#include "frontends/block/attach_process.h"
#include "frontends/block/front_end.h"
#include "initiator/initiator_core.h"
#include "initiatord/device_keeper.h"
#include "initiatord/event_text.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::initiatord {

// Hands commands to the attach process and tells the keeper what its devices are attached as. Lives
// on the loop's thread; the keeper outlives it.
class Attacher {
 public:
  enum class OtherInitiators : std::uint8_t {
    work,
    are_deaf,  // AF_XDP takes all answers (net/af_xdp_port.h)
  };

  struct Surroundings {
    // What an earlier daemon has attached, and what goes on without one.
    std::vector<block::Survivor> survivors{};
    // The device for a process that serves it with an initiator of its own.
    std::function<std::string(const DeviceConfig& device, block::Access access)> uri{};
    // Whether initiators of other processes get their answers on our interfaces.
    OtherInitiators other_initiators = OtherInitiators::work;
    // The device became a block device, or is none any more.
    std::function<void(Attachment what, DeviceAddress address, const std::string& block_device)>
        tell{};
  };

  // First goes on with the block devices that outlive a daemon, and gives back what else one that
  // crashed has left.
  Attacher(Instant now, DeviceKeeper& keeper, std::unique_ptr<block::AttachWorker> worker,
           Surroundings surroundings);

  [[nodiscard]] int wait_fd() const { return worker_->wait_fd(); }

  void handle_readable();

  struct Wish {
    DeviceAddress address;
    std::string via = "auto";
    block::Access access = block::Access::read_write;
  };

  // Both answer when it is done. Errors: not_found, unavailable (no path reaches the device),
  // already_exists (it is attached), busy (the last command for it is under way, or it is in use),
  // timed_out (the disk does not answer), unsupported (a front end with an initiator of its own
  // that would be deaf), those of block::attach_by.
  //
  // A disk may have died since it last answered, and its partitions are read: then the one who
  // asked is told before he stops waiting, and the block device is taken away when it comes.
  void attach(Instant now, const Wish& wish, control::Reply reply);
  void detach(DeviceAddress address, control::Reply reply);

  // Attaches the device by itself, as its configuration says, as soon as it can be; after a failure
  // again from time to time, until somebody detaches it.
  void want(Instant now, DeviceAddress address);

  // What the core told: sizes follow, servers that died go on, and devices that are to be attached
  // by themselves are.
  void handle_event(Instant now, const initiator::Event& event);

  // Block devices or their partitions have changed, of whomever.
  void handle_block_event() { looks_at_partitions_ = true; }

  // Once a second or so: who waits too long, which block devices somebody else has taken away,
  // which have other partitions now, and what is to be attached by itself.
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

  // A device that is to be attached by itself.
  struct Wanted {
    Instant next{};           // when to try
    std::string complaint{};  // of the last try: it is said once
  };

  [[nodiscard]] Result<KeptDevice*> find(DeviceAddress address);
  [[nodiscard]] Result<void> check_attachable(const KeptDevice& device) const;
  // What to attach by: the wish, or what works here of it.
  [[nodiscard]] Result<std::string> usable_front_end(const Wish& wish) const;
  // Sends a command for the device, or for none.
  [[nodiscard]] Result<void> send(block::AttachCommand command, control::Reply& reply);
  void handle_answer(const block::AttachAnswer& answer);
  void end_attach(Pending& pending, const block::AttachAnswer& answer);
  void end_detach(Pending& pending, const block::AttachAnswer& answer);
  void adopt(Instant now, const block::Survivor& survivor);
  void attach_wanted(Instant now);
  void follow_partitions();
  void resume(const KeptDevice& device);
  void forget(KeptDevice& device);
  // The device is no block device any more.
  void note_detached(KeptDevice& device);
  [[nodiscard]] block::AttachCommand command_for(block::AttachOp op,
                                                 const KeptDevice& device) const;

  DeviceKeeper& keeper_;
  std::unique_ptr<block::AttachWorker> worker_;
  Surroundings surroundings_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, Pending> pending_;
  std::map<DeviceAddress, Wanted> wanted_;
  std::map<DeviceAddress, std::vector<std::string>> partitions_;  // that have links
  bool looks_at_partitions_ = false;
};

}  // namespace aoe::initiatord
