// Makes a failing run small: fewer operations, faults, initiators and targets.
#pragma once

#include "sim/main/seed_pool.h"

namespace aoe::sim {

// `job` fails. Returns a job of the same seed that fails too and of which no part that was tried
// could be left out. Runs it some dozens of times.
[[nodiscard]] SeedJob shrink(const SeedJob& job);

}  // namespace aoe::sim
