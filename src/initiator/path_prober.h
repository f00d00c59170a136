// Asks over one path who is there: IDENTIFY, repeated until it is answered or called off.
#pragma once

#include "initiator/core_context.h"
#include "initiator/index_list.h"
#include "initiator/io_request.h"

#include <cstdint>

namespace aoe::initiator {

// A path carries data only after the disk behind it was identified; a suspect path is asked again
// until it answers. One probe a path.
class PathProber {
 public:
  explicit PathProber(const CoreContext& context) : context_(context) {}

  // Nothing when a probe of the path is under way already, or when no tag is free (the device's
  // query schedule comes back to it).
  void start(Instant now, DeviceId id, std::uint32_t path);
  void stop(DeviceId id, std::uint32_t path);

  void on_expiry(std::uint32_t slot);
  // An answer that settles nothing, such as an AoE error: ask again later.
  void ask_again(Instant now, std::uint32_t slot);

  [[nodiscard]] bool next_frame(Instant now, TxFrame& out);

 private:
  void arm_timer(Instant now, std::uint32_t slot);

  CoreContext context_;
  IndexList waiting_;
};

}  // namespace aoe::initiator
