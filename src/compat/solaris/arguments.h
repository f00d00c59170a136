// The command lines of the Solaris package's commands.
#pragma once

#include "base/result.h"
#include "compat/option_scanner.h"
#include "compat/program.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat::solaris {

// The exit statuses: nothing of the originals depends on others than 0.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kMisused = 2;

struct ArgumentForm {
  std::string_view letters;  // as for getopt
  std::span<const LongOption> long_options;
  std::string_view usage;  // the first line, without "usage: "
  std::string_view help;   // what follows it for --help
};

// --help is always an option. Of options that come twice the last one counts.
struct Arguments {
  struct Value {
    std::string name;
    std::string value;
  };

  std::vector<Value> options;
  std::vector<std::string> operands;

  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }

  // nullptr when the option was not given.
  [[nodiscard]] const std::string* find(std::string_view name) const;
};

// nullopt when the command has ended already, with `status`: after --help, or with the message and
// the usage of a wrong command line.
[[nodiscard]] std::optional<Arguments> read_arguments(const Call& call, const ArgumentForm& form,
                                                      Console& console, int& status);

// The same for commands that take options only.
[[nodiscard]] std::optional<Arguments> read_options(const Call& call, const ArgumentForm& form,
                                                    Console& console, int& status);

// The error as "NAME: what"; returns the exit status.
[[nodiscard]] int report_end(const Call& call, const Result<void>& done, Console& console);

// The message "NAME: what" and the usage; returns kMisused.
[[nodiscard]] int misused(const Call& call, const ArgumentForm& form, Console& console,
                          std::string_view what);

// "eth0,eth1" -> eth0 eth1; empty pieces are left out.
[[nodiscard]] std::vector<std::string> split_list(std::string_view list);

}  // namespace aoe::compat::solaris
