// Commands to the ublk driver: /dev/ublk-control.
#pragma once

#include "base/result.h"
#include "frontends/ublk/uapi.h"
#include "os/fd.h"

#include <liburing.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace aoe::ublk {

// One thread uses it. Every call blocks until the driver has answered. Errors name the command and
// carry the driver's errno.
class Control {
 public:
  // Errors: unsupported (no driver, or no io_uring for it, with the reason), not_permitted.
  [[nodiscard]] static Result<std::unique_ptr<Control>> open();

  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;
  ~Control();

  // UBLK_F_.. that this kernel has. Linux before 6.5 cannot tell: 0 then.
  [[nodiscard]] std::uint64_t features();

  // Makes a device of the next free number; `info` is what is wanted, and returned as it has
  // become.
  [[nodiscard]] Result<uapi::DeviceInfo> add(uapi::DeviceInfo info);
  // Errors: not_found.
  [[nodiscard]] Result<uapi::DeviceInfo> info(std::uint32_t number);
  [[nodiscard]] Result<void> set_parameters(std::uint32_t number, uapi::Parameters parameters);
  [[nodiscard]] Result<uapi::Parameters> parameters(std::uint32_t number);

  // Return once every tag of every queue was fetched: another thread does that.
  [[nodiscard]] Result<void> start(std::uint32_t number, std::int32_t server_pid);
  [[nodiscard]] Result<void> end_recovery(std::uint32_t number, std::int32_t server_pid);
  // Errors: busy (the driver does not know yet that the server is dead).
  [[nodiscard]] Result<void> start_recovery(std::uint32_t number);

  // Takes the block device away, whoever uses it; fetches end.
  [[nodiscard]] Result<void> stop(std::uint32_t number);
  // Returns once nobody has /dev/ublkcN open.
  [[nodiscard]] Result<void> remove(std::uint32_t number);
  // Errors: unsupported (Linux 6.16 can).
  [[nodiscard]] Result<void> update_size(std::uint32_t number, std::uint64_t bytes);

 private:
  explicit Control(os::Fd device) : device_(std::move(device)) {}

  [[nodiscard]] Result<void> send(std::uint32_t operation, const uapi::ControlCommand& command,
                                  const char* what);

  os::Fd device_;
  io_uring ring_{};
  bool has_ring_ = false;
};

// Of "/dev/ublkb3" it is 3; nullopt for any other form.
[[nodiscard]] std::optional<std::uint32_t> device_number(const std::string& block_device);
[[nodiscard]] std::string block_device_path(std::uint32_t number);
[[nodiscard]] std::string channel_path(std::uint32_t number);

}  // namespace aoe::ublk
