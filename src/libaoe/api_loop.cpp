// Calls for event loops.
#include "aoe/aoe.h"
#include "libaoe/call.h"
#include "libaoe/handle.h"

#include <optional>

using aoe::Duration;
using aoe::Result;
using aoe::libaoe::require;
using aoe::libaoe::run_call;

int aoe_get_fd(aoe_handle* handle) {
  return run_call("aoe_get_fd", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    return handle->wait_fd();
  });
}

int aoe_process(aoe_handle* handle) {
  return run_call("aoe_process", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    return handle->process();
  });
}

int aoe_poll(aoe_handle* handle, int timeout_ms) {
  return run_call("aoe_poll", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    std::optional<Duration> timeout;
    if (timeout_ms >= 0) {
      timeout = Duration::milliseconds(timeout_ms);
    }
    return handle->poll(timeout);
  });
}
