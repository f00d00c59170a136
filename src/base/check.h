// Assertions about our own code, on in every build.
//
// Nothing that comes from the wire, a disk, a configuration or an API call may reach one of these:
// such input is handled, and the fuzzers prove it. A failed check means that going on could damage
// data, so it prints the place and aborts.
#pragma once

namespace aoe {

[[noreturn]] void check_failed(const char* condition, const char* why, const char* file, int line);

}  // namespace aoe

#define AOE_CHECK(condition, why)                               \
  do {                                                          \
    if (!(condition)) [[unlikely]] {                            \
      ::aoe::check_failed(#condition, why, __FILE__, __LINE__); \
    }                                                           \
  } while (false)
