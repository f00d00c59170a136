// What the entries of aoed.conf ask of the devices of the initiator daemon.
#pragma once

#include "base/result.h"
#include "compat/solaris/aoed_conf.h"
#include "control/client.h"
#include "control/message.h"

#include <string>
#include <vector>

namespace aoe::compat::solaris {

// How many time-outs a command is tried for: a command of a target that was gone ended after "a few
// seconds" there, at the usual 200 ms.
inline constexpr std::int64_t kTimeoutsUntilGivenUp = 20;

// The parameters of initiator.settings: maxdata, in whole sectors, is the payload of a frame,
// maxbuf the window of a path (which is what a target on a channel is), and timeout decides when a
// request is given up. Ours is one device over all channels: of entries that differ, the smaller
// sizes and the longer time count. What is absent is not set; `origin` is the name of the file.
[[nodiscard]] control::Json settings_of(const std::vector<AoedDevice>& entries,
                                        const std::string& origin);

// Makes the settings of the daemon's devices what the entries say, and leaves those alone that have
// them already. Errors: those of the daemon.
[[nodiscard]] Result<void> apply_settings(control::Client& client,
                                          const std::vector<AoedDevice>& entries,
                                          const std::string& origin);

}  // namespace aoe::compat::solaris
