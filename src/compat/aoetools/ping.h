// aoeping, once its session is open.
#pragma once

#include "base/bytes.h"
#include "base/ids.h"
#include "client/session.h"
#include "compat/console.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace aoe::compat::aoetools {

struct PingOptions {
  DeviceAddress address{};
  std::string interface;
  bool is_verbose = false;
  bool dumps_identify = false;
  bool shows_identify = false;
  std::optional<std::string> smart;  // a command, as it was given
  // Of each question; absent: forever.
  std::optional<Duration> timeout;
  // Fills a sector with what is to be written to a log. False: it could not.
  std::function<bool(ByteSpan)> read_input;
};

enum class PingOutcome : std::uint8_t { ok, failed, timed_out };

[[nodiscard]] PingOutcome ping_device(client::Session& session, const PingOptions& options,
                                      Console& console);

}  // namespace aoe::compat::aoetools
