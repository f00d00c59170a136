#include "client/device_settings.h"
#include "client/session.h"
#include "client/uri.h"
#include "compat/labels/disks.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace aoe::labels {
namespace {

class DeviceDisk final : public Disk {
 public:
  DeviceDisk(std::string name, std::unique_ptr<client::Session> session,
             std::unique_ptr<client::Device> device)
      : name_(std::move(name)), session_(std::move(session)), device_(std::move(device)) {}

  [[nodiscard]] const std::string& name() const override { return name_; }

  [[nodiscard]] std::uint64_t sectors() const override { return device_->sectors(); }

  Result<void> read(Lba lba, ByteSpan into) override { return device_->read(lba, into); }

  Result<void> write(Lba lba, ConstByteSpan from) override { return device_->write(lba, from); }

  Result<void> flush() override { return device_->flush(); }

 private:
  std::string name_;
  std::unique_ptr<client::Session> session_;
  std::unique_ptr<client::Device> device_;  // before its session in destruction
};

}  // namespace

Result<std::unique_ptr<Disk>> open_device_disk(const DiskPlace& place) {
  AOE_TRY_ASSIGN(const client::DeviceUri uri, client::parse_device_uri(place.text));
  client::SessionOptions session_options;
  session_options.interfaces = uri.interfaces.empty() ? place.interfaces : uri.interfaces;
  session_options.port = uri.port.value_or(PortKind::automatic);
  if (session_options.interfaces.empty()) {
    session_options.interfaces.emplace_back("auto");
  }
  client::DeviceOptions options;
  options.timeout = place.timeout;
  client::apply_uri(uri, options);
  options.open_timeout = std::min(options.open_timeout, options.timeout);
  std::string name = to_string(uri.address);
  if (place.access == DiskAccess::read_only) {
    options.access = client::Access::read_only;
  } else if (options.access == client::Access::read_only) {
    return fail_with(Errc::invalid_argument, 0,
                     name + ": label: cannot be written: its URI says mode=read-only");
  }
  AOE_TRY_ASSIGN(auto session, client::Session::open(session_options));
  AOE_TRY_ASSIGN(auto device, session->open_device(uri.address, options));
  return std::make_unique<DeviceDisk>(std::move(name), std::move(session), std::move(device));
}

}  // namespace aoe::labels
