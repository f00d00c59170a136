// Who keeps the AoE devices of this host: Linux's aoe driver, or aoe-initiatord.
#pragma once

#include "base/result.h"
#include "compat/places.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aoe::compat::aoetools {

// What the files of one device say. Absent: there is no such file, or it cannot be read.
struct DeviceFiles {
  std::string name;                    // e7.1
  std::optional<std::uint64_t> minor;  // of its block device
  std::optional<std::uint64_t> sectors;
  std::optional<std::string> netif;
  std::optional<std::string> state;
  std::optional<std::string> payload;
};

// What the driver can be asked to do.
enum class Control : std::uint8_t { discover, interfaces, revalidate, flush };

class Driver {
 public:
  Driver() = default;
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  virtual ~Driver() = default;

  // In no order.
  [[nodiscard]] virtual Result<std::vector<DeviceFiles>> devices() = 0;

  // Whether it can be asked to; the message, of one or two lines, is what the old commands print
  // behind their name.
  [[nodiscard]] virtual Result<void> check(Control control) = 0;
  [[nodiscard]] virtual Result<void> discover() = 0;
  // `device` as it was given.
  [[nodiscard]] virtual Result<void> revalidate(const std::string& device) = 0;
  // "" (what is down and unused), "all" (what is unused), or the name of a device.
  [[nodiscard]] virtual Result<void> flush(const std::string& what) = 0;

  // With the end of the line.
  [[nodiscard]] virtual Result<std::string> interfaces() = 0;
  [[nodiscard]] virtual bool is_interface(const std::string& name) = 0;
  // None: any.
  [[nodiscard]] virtual Result<void> set_interfaces(const std::vector<std::string>& names) = 0;

  // Of the driver that runs; nullopt where none does.
  [[nodiscard]] virtual std::optional<std::string> running_version() = 0;
};

// The kernel's driver where it runs, else the daemon where it answers, else the kernel's, which
// then says what is missing. Errors: not_permitted, io (the daemon's socket is there, but of no
// use).
[[nodiscard]] Result<std::unique_ptr<Driver>> open_driver(const Places& places,
                                                          const std::string& control);

[[nodiscard]] std::unique_ptr<Driver> make_kernel_driver(const Places& places);

// Errors: unavailable, not_permitted, timed_out, invalid_argument (the path).
[[nodiscard]] Result<std::unique_ptr<Driver>> connect_daemon_driver(const std::string& control);

// Whether the kernel's driver runs here, by its files.
[[nodiscard]] bool kernel_driver_runs(const Places& places);

}  // namespace aoe::compat::aoetools
