// What the mounted directory stands for. Implemented by the daemon.
#pragma once

#include "base/ids.h"
#include "client/device.h"
#include "frontends/fuse/node.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::fuse {

// One device, as its file shows it.
struct Volume {
  std::uint64_t sectors = 0;
  bool is_read_only = false;
  bool discard_reads_zero = false;  // so a hole may be punched by TRIM
};

// Errors are errno values, 0 is none. All calls come from the thread of the server.
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  // nullopt: there is no such device, or nothing is known of it yet.
  [[nodiscard]] virtual std::optional<Volume> volume(DeviceAddress address) = 0;
  // The first device, or the one that follows in the order of addresses.
  [[nodiscard]] virtual std::optional<DeviceAddress> next_volume(
      std::optional<DeviceAddress> after) = 0;

  // Between the two the device is in use.
  [[nodiscard]] virtual int open(DeviceAddress address) = 0;
  virtual void release(DeviceAddress address) = 0;

  // Starts a request; its completion goes to Server::handle_completion with the same cookie, never
  // before this returns. Must not allocate.
  [[nodiscard]] virtual int submit(DeviceAddress address, const client::IoRequest& request) = 0;

  // A request of submit() has ended.
  virtual void completed(DeviceAddress address, const client::IoCompletion& completion) = 0;

  // What the file says, line ends included.
  [[nodiscard]] virtual std::string read_info(DeviceAddress address, InfoFile file) = 0;
  [[nodiscard]] virtual std::string read_control(ControlFile file) = 0;
  [[nodiscard]] virtual int write_control(ControlFile file, std::string_view text) = 0;

  // The number of the newest event, and the first one behind a number as a line of `err`.
  [[nodiscard]] virtual std::uint64_t last_event() = 0;

  struct Event {
    std::uint64_t number = 0;
    std::string line;
  };

  [[nodiscard]] virtual std::optional<Event> next_event(std::uint64_t after) = 0;
};

}  // namespace aoe::fuse
