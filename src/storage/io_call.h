// An operation as the system call that it stands for.
#pragma once

#include "storage/io_engine.h"

#include <cstdint>

namespace aoe::storage {

// Waits for the backing. Returns what the call returned, or -errno.
[[nodiscard]] std::int64_t call_kernel(const IoOp& op);

}  // namespace aoe::storage
