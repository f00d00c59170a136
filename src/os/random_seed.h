// Randomness from the kernel.
#pragma once

#include <cstdint>

namespace aoe::os {

// 64 unpredictable bits from getrandom(2), to seed a Prng or to name an instance. Early in a boot
// it waits until the kernel has gathered enough. Any thread.
[[nodiscard]] std::uint64_t random_seed();

}  // namespace aoe::os
