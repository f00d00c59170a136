// The command line of aoe-ublk.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aoe::ublk {

struct Options {
  std::string uri{};
  std::optional<std::uint32_t> resume{};  // the number of a device whose server has died
  std::uint32_t queues = 0;               // 0: one for each processor, up to kQueuesMax
  bool is_foreground = false;
  bool wants_help = false;
  bool wants_version = false;
};

inline constexpr std::uint32_t kQueuesMax = 4;

// Without the program's name. Errors: invalid_argument, with what was expected.
[[nodiscard]] Result<Options> parse_options(std::span<const std::string_view> arguments);

extern const char* const kHelp;

}  // namespace aoe::ublk
