#include "frontends/ublk/options.h"

#include "base/parse.h"

#include <fmt/format.h>

namespace aoe::ublk {
namespace {

auto misused(std::string message) {
  return fail_with(Errc::invalid_argument, 0, std::move(message));
}

}  // namespace

const char* const kHelp =
    R"(Usage: aoe-ublk [OPTIONS] URI

Serves an ATA over Ethernet disk as a ublk block device and prints its path.
URI is a device with its interfaces: aoe://eth1/e7.1

Options:
  --resume N     Go on with /dev/ublkbN, whose server has died
  --queues N     Queues of a new device, 1 to 4 (default: one a processor)
  --foreground   Stay in the foreground, and do not start again after a crash
  --help         Print this help
  --version      Print the version

Examples:
  aoe-ublk aoe://eth1/e7.1
  aoe-ublk --resume 0 aoe://eth1/e7.1
)";

Result<Options> parse_options(std::span<const std::string_view> arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word == "--resume" || word == "--queues") {
      const auto number =
          parse_unsigned(i + 1 < arguments.size() ? arguments[i + 1] : std::string_view());
      ++i;
      if (word == "--resume") {
        if (!number || *number >= ~0U) {
          return misused("--resume: expected the N of /dev/ublkbN");
        }
        options.resume = static_cast<std::uint32_t>(*number);
      } else {
        if (!number || *number == 0 || *number > kQueuesMax) {
          return misused(fmt::format("--queues: expected a number from 1 to {}", kQueuesMax));
        }
        options.queues = static_cast<std::uint32_t>(*number);
      }
    } else if (word == "--foreground") {
      options.is_foreground = true;
    } else if (word == "--help") {
      options.wants_help = true;
    } else if (word == "--version") {
      options.wants_version = true;
    } else if (word.starts_with("-")) {
      return misused(fmt::format("{}: no such option (--help shows them)", word));
    } else if (!options.uri.empty()) {
      return misused(fmt::format("{}: one URI is enough", word));
    } else {
      options.uri = word;
    }
  }
  if (options.uri.empty() && !options.wants_help && !options.wants_version) {
    return misused("no device is named: expected aoe://IF/e7.1");
  }
  return options;
}

}  // namespace aoe::ublk
