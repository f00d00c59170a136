// A remote disk, by libaoe's public interface alone.
#pragma once

#include "aoe/aoe.h"
#include "base/ids.h"
#include "base/result.h"
#include "frontends/ublk/queue.h"
#include "frontends/ublk/request.h"

#include <memory>
#include <string>

namespace aoe::ublk {

// Requests may be started by any thread; they end on the library's. Up to kRequestsMax at a time.
class AoeDisk final : public Disk {
 public:
  static constexpr unsigned kRequestsMax = 256;  // aoe_aio_pread(3)

  // Looks for the target until it has identified itself. Errors: libaoe's, with its text.
  [[nodiscard]] static Result<std::unique_ptr<AoeDisk>> open(const std::string& uri);

  [[nodiscard]] int start(const Request& request, std::span<std::byte> buffer,
                          Ticket& ticket) override;

  [[nodiscard]] const DiskFacts& facts() const { return facts_; }

  [[nodiscard]] DeviceAddress address() const { return address_; }

  [[nodiscard]] const std::string& serial() const { return serial_; }

  [[nodiscard]] const std::string& model() const { return model_; }

 private:
  struct Close {
    void operator()(aoe_handle* handle) const { (void)aoe_close(handle); }
  };

  AoeDisk() = default;
  [[nodiscard]] Result<void> ask();

  std::unique_ptr<aoe_handle, Close> handle_;
  DiskFacts facts_;
  DeviceAddress address_;
  std::string serial_;
  std::string model_;
};

}  // namespace aoe::ublk
