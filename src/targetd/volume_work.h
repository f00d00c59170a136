// What those have in common who keep volumes over the files of an export: freezer, overlays and
// snapshots. A volume is registered by its address in a map, and has a `serial` that tells it from
// a later one of the same address.
#pragma once

#include "base/ids.h"
#include "base/result.h"
#include "control/message.h"
#include "daemon/log.h"
#include "storage/io_engine.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace aoe::targetd {

// Runs the first where it may block, then the second on the loop.
using RunBlocking = std::function<void(std::function<void()>, std::function<void()>)>;

// Of the stores of the export with that address.
using EngineOf = std::function<storage::IoEngine&(DeviceAddress)>;

// Runs `job` where it may block, then `next(volume, result)` on the loop, unless the volume has
// gone by then. `volumes` outlives both.
template <class Volume, class Next>
void run_for_volume(const RunBlocking& run_blocking, std::map<DeviceAddress, Volume>& volumes,
                    const Volume& volume, std::function<Result<void>()> job, Next next) {
  auto result = std::make_shared<Result<void>>();
  run_blocking([result, work = std::move(job)] { *result = work(); },
               [&volumes, result, address = volume.config.address, serial = volume.serial,
                then = std::move(next)] {
                 const auto still = volumes.find(address);
                 if (still != volumes.end() && still->second.serial == serial) {
                   then(still->second, *result);
                 }
               });
}

// Tells of a volume: "e7.1: TEXT" in the log, and to those who follow the events an object with
// `type`, `address`, `text` and what is in `more`.
void tell_of_volume(const std::function<void(const control::Json&)>& publish, DeviceAddress address,
                    daemon::Severity severity, const char* type, const std::string& text,
                    control::Json more);

}  // namespace aoe::targetd
