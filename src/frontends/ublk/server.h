// One device from start to end: the disk, the driver, a thread a queue.
#pragma once

#include "base/result.h"
#include "frontends/ublk/options.h"

#include <cstdint>
#include <functional>

namespace aoe::ublk {

// Serves until the device is taken away by somebody (Control::stop). `is_ready` is called once it
// can be used, with its number and the serial number of its disk.
//
// Errors before that leave no new device behind, and one to resume as it was: those of
// AoeDisk::open and Control; unsupported (too old a kernel); corrupt (it is another, or a smaller
// disk than the one to resume).
[[nodiscard]] Result<void> serve(
    const Options& options,
    const std::function<void(std::uint32_t number, const std::string& serial)>& is_ready);

}  // namespace aoe::ublk
