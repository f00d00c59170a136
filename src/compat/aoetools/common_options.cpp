#include "compat/aoetools/common_options.h"

#include <fmt/format.h>

#include <array>

namespace aoe::compat::aoetools {
namespace {

constexpr std::array kLongOptions{LongOption{"help", false}, LongOption{"strict", false},
                                  LongOption{"control", true}};

constexpr std::string_view kStrictHelp =
    "  --strict        Statuses that tell a failure from success, errors on standard error\n";
constexpr std::string_view kControlHelp =
    "  --control PATH  Control socket of aoe-initiatord (/run/aoekit/initiator.sock)\n";
constexpr std::string_view kHelpHelp = "  --help          This text\n";

}  // namespace

ParsedCall parse_call(const Call& call, std::string_view letters, Console& console) {
  OptionScanner scanner(call.arguments, letters, kLongOptions);
  ParsedCall parsed;
  parsed.common.control = call.places.run + "/aoekit/initiator.sock";
  while (auto option = scanner.next()) {
    if (!option->error.empty()) {
      console.error(fmt::format("{}: {}\n", call.called, option->error));
      parsed.letters.push_back(*std::move(option));
      break;
    }
    if (option->name == "help") {
      parsed.wants_help = true;
    } else if (option->name == "strict") {
      parsed.common.strict = Strict::yes;
    } else if (option->name == "control") {
      parsed.common.control = option->value;
    } else {
      parsed.letters.push_back(*std::move(option));
    }
  }
  parsed.operands = scanner.operands();
  return parsed;
}

bool ParsedCall::is_answered(std::string_view help, Console& console) const {
  if (is_wrong()) {
    console.error(help);
  } else if (wants_help) {
    console.out(help);
  }
  return is_wrong() || wants_help;
}

std::string help_text(std::string_view usage, std::string_view options) {
  return fmt::format("usage: {}\n\n{}{}{}{}", usage, options, kStrictHelp, kControlHelp, kHelpHelp);
}

std::string network_help_text(std::string_view usage, std::string_view options) {
  return fmt::format("usage: {}\n\n{}{}{}", usage, options, kStrictHelp, kHelpHelp);
}

}  // namespace aoe::compat::aoetools
