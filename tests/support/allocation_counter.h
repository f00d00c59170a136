// Counts what a test program allocates.
#pragma once

#include <cstdint>

namespace aoe::test {

// Calls of operator new so far, of all threads. Who links this library has its own operator new.
[[nodiscard]] std::uint64_t allocations();

}  // namespace aoe::test
