#include "targetd/volume_work.h"

#include <spdlog/spdlog.h>

namespace aoe::targetd {

void tell_of_volume(const std::function<void(const control::Json&)>& publish, DeviceAddress address,
                    daemon::Severity severity, const char* type, const std::string& text,
                    control::Json more) {
  const std::string line = to_string(address) + ": " + text;
  if (severity == daemon::Severity::error) {
    spdlog::error("{}", line);
  } else {
    spdlog::info("{}", line);
  }
  more["type"] = type;
  more["address"] = to_string(address);
  more["text"] = line;
  publish(more);
}

}  // namespace aoe::targetd
