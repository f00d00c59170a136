// What all commands of this package take besides the arguments of their forebears.
#pragma once

#include "compat/option_scanner.h"
#include "compat/program.h"

#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat::aoetools {

enum class Strict : bool { no, yes };

struct CommonOptions {
  // Exit statuses and streams as they should have been, where scripts of the old ones depend on how
  // they were.
  Strict strict = Strict::no;
  std::string control;  // socket of the initiator daemon
};

// A command's own options of one letter, in the order in which they were given.
struct ParsedCall {
  CommonOptions common;
  std::vector<OptionScanner::Option> letters;  // a wrong one is the last
  std::vector<std::string> operands;
  bool wants_help = false;

  [[nodiscard]] bool is_wrong() const { return !letters.empty() && !letters.back().error.empty(); }

  // Whether nothing is left to do, because help was wanted or an option is wrong; then `help` has
  // been printed.
  [[nodiscard]] bool is_answered(std::string_view help, Console& console) const;

  [[nodiscard]] int answered_status() const { return is_wrong() ? 1 : 0; }
};

// `letters` as for getopt. Stops at the first wrong option, whose message it prints as getopt does.
[[nodiscard]] ParsedCall parse_call(const Call& call, std::string_view letters, Console& console);

// The text of --help: the usage, what is special, and the common options.
[[nodiscard]] std::string help_text(std::string_view usage, std::string_view options);
// Of a command that needs no driver, and so no daemon.
[[nodiscard]] std::string network_help_text(std::string_view usage, std::string_view options);

}  // namespace aoe::compat::aoetools
