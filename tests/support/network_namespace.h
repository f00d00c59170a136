// A network of a test's own: needs no fixed names, no set-up by hand and usually no root.
#pragma once

#include <optional>
#include <string>

namespace aoe::testing {

// Moves the calling thread into a fresh, empty network namespace, with a user namespace around it
// where there is no root. The thread stays there; the namespace goes when its last user does.
// Returns the reason when this machine does not allow it.
[[nodiscard]] std::optional<std::string> enter_new_network_namespace();

// Runs a shell command (`ip link add ..`) in the thread's namespace, with its output on standard
// error. Returns its exit status.
int run_command(const std::string& command);

// Waits until `interface` has its carrier and frames pass, which comes a moment after the command
// that brings it up. False when it does not within 5 s.
[[nodiscard]] bool wait_for_carrier(const std::string& interface);

}  // namespace aoe::testing

// For SetUp(): enters a namespace or skips the test, saying why.
#define AOE_NEW_NETWORK_OR_SKIP()                                          \
  do {                                                                     \
    if (auto aoe_reason = ::aoe::testing::enter_new_network_namespace()) { \
      GTEST_SKIP() << "no network namespace: " << *aoe_reason;             \
    }                                                                      \
  } while (false)
