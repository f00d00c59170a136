// Going on with the mounted directory of an earlier process of the daemon.
#pragma once

#include "base/ids.h"
#include "base/time.h"
#include "frontends/fuse/server.h"
#include "initiatord/device_keeper.h"
#include "initiatord/mount_record.h"

#include <string>
#include <vector>

namespace aoe::initiatord {

// What was open then is found and kept, and nothing is answered before all of it is up again, so
// that requests wait instead of failing; nor before the last frame of the earlier process has left
// the network, because a write of it must not come after one of ours.
class Takeover {
 public:
  struct Times {
    Duration frame_life{};  // how long a frame may exist
    Duration patience{};    // how long to wait for devices that do not come
  };

  struct Parts {
    DeviceKeeper& keeper;
    fuse::Server& server;
    const MountRecord& record;
  };

  // Takes stock of `mount` and tells the keeper and the server who uses what: of a disk that stands
  // in the record only that one is waited for, and another one is foreign.
  Takeover(Instant now, const std::string& mount, Parts parts, Times times);

  // Whether requests may be answered now.
  [[nodiscard]] bool is_ready(Instant now, DeviceKeeper& keeper) const;

  // Those to ask for until then.
  [[nodiscard]] const std::vector<DeviceAddress>& devices() const { return devices_; }

 private:
  std::vector<DeviceAddress> devices_;
  Instant not_before_;
  Instant deadline_;
};

}  // namespace aoe::initiatord
