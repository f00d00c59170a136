// aoecfg, once its session is open.
#pragma once

#include "client/session.h"
#include "compat/console.h"
#include "protocol/aoe_config.h"

#include <cstdint>
#include <optional>
#include <string>

namespace aoe::compat::aoetools {

struct CfgOptions {
  protocol::ConfigCommand command = protocol::ConfigCommand::read;
  std::string string;
  std::uint16_t shelf = 0xFFFF;  // FFFFh: every shelf
  std::uint8_t slot = 0xFF;      // FFh: every slot
  std::string interface = "eth0";
  std::optional<Duration> timeout;  // absent: forever

  [[nodiscard]] bool is_one_device() const { return shelf != 0xFFFF && slot != 0xFF; }
};

struct CfgOutcome {
  std::uint32_t answers = 0;
  std::uint32_t refusals = 0;  // of them
  bool is_broken = false;      // it could not be asked at all; that has been said
};

// Asks one device until it answers, or every target that there is until the time is over.
[[nodiscard]] CfgOutcome ask_config_strings(client::Session& session, const CfgOptions& options,
                                            Console& console);

// What stands for an error of a target in place of its string.
[[nodiscard]] const char* refusal_word(std::uint8_t error);

}  // namespace aoe::compat::aoetools
