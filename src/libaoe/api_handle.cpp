// Calls that make, set, open and close a handle.
#include "aoe/aoe.h"
#include "libaoe/call.h"
#include "libaoe/handle.h"
#include "libaoe/settings.h"

#include <cstdint>
#include <memory>

using aoe::Duration;
using aoe::Result;
using aoe::libaoe::Handle;
using aoe::libaoe::require;
using aoe::libaoe::run_call;

namespace {

// A call that changes the settings of a handle that is not open.
template <class Change>
int change_settings(const char* name, aoe_handle* handle, Change change) {
  return run_call(name, [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    AOE_TRY_ASSIGN(Handle::Settings * settings, handle->settings());
    AOE_TRY(change(*settings));
    return 0;
  });
}

Result<Duration> parse_timeout(std::uint32_t milliseconds) {
  if (milliseconds == 0) {
    return aoe::fail_with(aoe::Errc::invalid_argument, 0, "0 ms: expected 1 or more");
  }
  return Duration::milliseconds(milliseconds);
}

}  // namespace

const char* aoe_version(void) {
  return AOE_VERSION;
}

const char* aoe_get_error(void) {
  return aoe::libaoe::last_error_text();
}

int aoe_get_errno(void) {
  return aoe::libaoe::last_error_number();
}

aoe_handle* aoe_create(void) {
  aoe_handle* handle = nullptr;
  run_call("aoe_create", [&]() -> Result<int> {
    handle = std::make_unique<aoe_handle>().release();
    return 0;
  });
  return handle;
}

int aoe_close(aoe_handle* handle) {
  return run_call("aoe_close", [&]() -> Result<int> {
    if (handle != nullptr) {
      AOE_TRY(handle->close());
      const std::unique_ptr<aoe_handle> owned(handle);
    }
    return 0;
  });
}

int aoe_set_interfaces(aoe_handle* handle, const char* interfaces) {
  return change_settings("aoe_set_interfaces", handle, [&](Handle::Settings& s) -> Result<void> {
    AOE_TRY(require(interfaces, "interfaces"));
    AOE_TRY_ASSIGN(s.interfaces, aoe::client::parse_interface_list(interfaces));
    return {};
  });
}

int aoe_set_read_only(aoe_handle* handle, int read_only) {
  return change_settings("aoe_set_read_only", handle, [&](Handle::Settings& s) -> Result<void> {
    using aoe::client::Access;
    s.device.access = read_only != 0 ? Access::read_only : Access::read_write;
    return {};
  });
}

int aoe_set_timeout_ms(aoe_handle* handle, std::uint32_t milliseconds) {
  return change_settings("aoe_set_timeout_ms", handle, [&](Handle::Settings& s) -> Result<void> {
    AOE_TRY_ASSIGN(s.device.timeout, parse_timeout(milliseconds));
    return {};
  });
}

int aoe_set_open_timeout_ms(aoe_handle* handle, std::uint32_t milliseconds) {
  return change_settings("aoe_set_open_timeout_ms", handle,
                         [&](Handle::Settings& s) -> Result<void> {
                           AOE_TRY_ASSIGN(s.device.open_timeout, parse_timeout(milliseconds));
                           return {};
                         });
}

int aoe_set_payload_max(aoe_handle* handle, std::uint32_t bytes) {
  return change_settings("aoe_set_payload_max", handle, [&](Handle::Settings& s) -> Result<void> {
    AOE_TRY_ASSIGN(s.device.payload_bytes_max, aoe::libaoe::check_payload(bytes));
    return {};
  });
}

int aoe_share_network(aoe_handle* handle, aoe_handle* with) {
  return run_call("aoe_share_network", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    AOE_TRY(require(with, "with"));
    AOE_TRY(handle->share_network(*with));
    return 0;
  });
}

int aoe_open(aoe_handle* handle, const char* uri) {
  return run_call("aoe_open", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    AOE_TRY(require(uri, "uri"));
    AOE_TRY(handle->open(uri));
    return 0;
  });
}

int aoe_aio_open(aoe_handle* handle, const char* uri, aoe_completion completion, void* user_data) {
  return run_call("aoe_aio_open", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    AOE_TRY(require(uri, "uri"));
    AOE_TRY(require(completion, "completion"));
    AOE_TRY(handle->start_open(uri, {"aoe_aio_open", completion, user_data}));
    return 0;
  });
}

int aoe_start_thread(aoe_handle* handle) {
  return run_call("aoe_start_thread", [&]() -> Result<int> {
    AOE_TRY(require(handle, "handle"));
    AOE_TRY(handle->start_thread());
    return 0;
  });
}
