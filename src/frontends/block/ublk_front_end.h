// A kernel ublk device, served by aoe-ublk: a process of its own, with an initiator of its own,
// that outlives the daemon, and whose death the device outlives.
#pragma once

#include "base/result.h"
#include "frontends/block/front_end.h"

#include <cstdint>
#include <string>
#include <vector>

namespace aoe::block {

// What of the standard error of aoe-ublk to tell: its last line, without the program's name.
[[nodiscard]] std::string ublk_complaint(const std::string& errors);

// Those of the table (front_end.h).
[[nodiscard]] Result<void> check_ublk();
[[nodiscard]] Result<std::string> attach_ublk(const Source& source);
[[nodiscard]] Result<void> detach_ublk(const std::string& device);
[[nodiscard]] Result<void> update_ublk_size(const std::string& device, std::uint64_t bytes);
[[nodiscard]] std::string ublk_source(const std::string& device);
[[nodiscard]] Result<bool> resume_ublk(const Source& source, const std::string& device);

}  // namespace aoe::block
