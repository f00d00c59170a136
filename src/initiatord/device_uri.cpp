#include "initiatord/device_uri.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

namespace aoe::initiatord {
namespace {

// "Never" for a request, which an URI has no word for: the longest time that it takes.
constexpr double kNeverSeconds = 1e6;

double seconds(Duration time) {
  return static_cast<double>(time.ns) / 1e9;
}

class Query {
 public:
  template <class T>
  void add(std::string_view key, const T& value) {
    text_ += fmt::format("{}{}={}", text_.empty() ? '?' : '&', key, value);
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace

std::string device_uri(const DeviceConfig& device, const std::vector<std::string>& interfaces,
                       DeviceAccess access) {
  const DeviceConfig usual;
  Query query;
  if (device.timeout != usual.timeout) {
    query.add("timeout", device.timeout == Duration{} ? kNeverSeconds : seconds(device.timeout));
  }
  if (device.on_path_loss == initiator::OnPathLoss::fail) {
    query.add("on_path_loss", "fail");
  }
  if (device.fast_io_fail != usual.fast_io_fail) {
    query.add("fast_io_fail", seconds(device.fast_io_fail));
  }
  if (device.device_loss != usual.device_loss) {
    query.add("device_loss", seconds(device.device_loss));
  }
  if (device.policy != usual.policy) {
    query.add("policy", policy_word(device.policy));
  }
  if (device.payload_bytes != 0) {
    query.add("payload", device.payload_bytes);
  }
  if (device.window_frames != 0) {
    query.add("window", device.window_frames);
  }
  if (!device.macs.empty()) {
    std::string macs;
    for (const MacAddress mac : device.macs) {
      macs += (macs.empty() ? "" : "+") + to_string(mac);
    }
    query.add("mac", macs);
  }
  // An URI has no way to write an ampersand.
  if (!device.serial.empty() && device.serial.find('&') == std::string::npos) {
    query.add("serial", device.serial);
  }
  if (device.instances == initiator::DeviceSettings::Instances::many) {
    query.add("instances", "many");
  }
  if (access == DeviceAccess::read_only || device.access == DeviceAccess::read_only) {
    query.add("mode", "read-only");
  }
  return fmt::format("aoe://{}/{}{}", fmt::join(interfaces, ","), to_string(device.address),
                     query.text());
}

}  // namespace aoe::initiatord
