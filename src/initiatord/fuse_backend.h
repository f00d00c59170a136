// The kept devices as files of the mounted directory.
#pragma once

#include "frontends/fuse/backend.h"
#include "initiatord/device_keeper.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::initiatord {

class Daemon;

class FuseBackend final : public fuse::Backend {
 public:
  // The daemon outlives it.
  explicit FuseBackend(Daemon& daemon) : daemon_(daemon) {}

  [[nodiscard]] std::optional<fuse::Volume> volume(DeviceAddress address) override;
  [[nodiscard]] std::optional<DeviceAddress> next_volume(
      std::optional<DeviceAddress> after) override;
  [[nodiscard]] int open(DeviceAddress address) override;
  void release(DeviceAddress address) override;
  [[nodiscard]] int submit(DeviceAddress address, const client::IoRequest& request) override;
  void completed(DeviceAddress address, const client::IoCompletion& completion) override;
  [[nodiscard]] std::string read_info(DeviceAddress address, fuse::InfoFile file) override;
  [[nodiscard]] std::string read_control(fuse::ControlFile file) override;
  [[nodiscard]] int write_control(fuse::ControlFile file, std::string_view text) override;
  [[nodiscard]] std::uint64_t last_event() override;
  [[nodiscard]] std::optional<Event> next_event(std::uint64_t after) override;

 private:
  // What the core knows of a device whose size is known; nullptr for others.
  [[nodiscard]] const initiator::Device* known(DeviceAddress address) const;
  [[nodiscard]] std::uint16_t firmware_of(DeviceAddress address) const;
  [[nodiscard]] int write_revalidate(std::string_view word);
  [[nodiscard]] int write_flush(std::string_view word);

  Daemon& daemon_;
};

}  // namespace aoe::initiatord
