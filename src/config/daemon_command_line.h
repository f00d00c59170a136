// The command line of a daemon: what all of them have, and what one of them adds.
#pragma once

#include "config/diagnostics.h"
#include "config/value.h"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}  // namespace CLI

namespace aoe::config {

inline constexpr std::string_view kCommandLine = "command line";

enum class Action : std::uint8_t {
  serve,
  check_config,  // --check-config: load the configuration, say what is wrong, exit with 0 or 2
  dump_config,   // --dump-config: load it, print it as TOML, exit with 0 or 2
};

// What the command line says, before any file is read. Kept while the daemon runs: a reload loads
// the configuration from the same options again.
struct DaemonOptions {
  Action action = Action::serve;
  std::optional<std::string> config_path;
  std::vector<std::string> interfaces;  // raw -i texts
  // Keys of the daemon that an option sets, which wins over the file: "control" and its value.
  std::vector<std::pair<std::string_view, ConfigValue>> overrides;
};

// --help and --version: to standard output, exit status 0.
struct PrintedText {
  std::string text;  // complete, with its last line feed
};

struct DaemonTexts {
  const char* program = "";      // "aoe-targetd"
  const char* description = "";  // the first line of --help
  const char* interface_help = "";
  const char* config_help = "";
  const char* control_help = "";
  const char* footer = "";  // notes and examples behind the options
  // Behind the error for an argument that belongs to no option; may be empty.
  const char* stray_hint = "";
};

// How an option is written and explained.
struct OptionText {
  const char* names = "";       // "-e,--export"
  const char* value_name = "";  // how help calls its value: "FILE"
  const char* help = "";
};

// Parses without exceptions and in our words. What it binds must live until parse() has returned.
class DaemonCommandLine {
 public:
  // Declares -i, -c, --port, --control, --log-level, --busy-poll, --user, --group, --foreground,
  // --check-config,
  // --dump-config, --help and --version.
  explicit DaemonCommandLine(const DaemonTexts& texts);
  DaemonCommandLine(const DaemonCommandLine&) = delete;
  DaemonCommandLine& operator=(const DaemonCommandLine&) = delete;
  ~DaemonCommandLine();

  // An option that may be repeated.
  void add_list(const OptionText& option, std::vector<std::string>& into);
  // One that is given once, not empty: `expected` says what stands there.
  void add_text(const OptionText& option, std::string_view expected,
                std::optional<std::string>& into);
  // One that sets a key of the daemon.
  void add_override(const OptionText& option, std::string_view key);
  void add_flag(const char* name, const char* help, bool& into);

  // `arguments` begin behind the program's name. Diagnostics hold at least one error; the exit
  // status is then 2.
  [[nodiscard]] std::variant<DaemonOptions, PrintedText, Diagnostics> parse(
      const std::vector<std::string>& arguments);

 private:
  struct TextOption {
    const char* name;
    std::string_view expected;
    std::optional<std::string>& into;
    std::string found{};
  };

  struct Override {
    std::string_view key;
    const char* name;
    std::string found{};
  };

  void report_extras(Diagnostics& diagnostics) const;
  void check(Diagnostics& diagnostics) const;
  [[nodiscard]] DaemonOptions take_options();

  std::unique_ptr<CLI::App> app_;
  DaemonTexts texts_;
  DaemonOptions options_;
  std::list<TextOption> text_options_;  // the parser keeps pointers into both
  std::list<Override> overrides_;
  bool check_config_ = false;
  bool dump_config_ = false;
  bool foreground_ = false;
};

// The arguments of main behind the program's name, where argv is not empty.
[[nodiscard]] std::vector<std::string> arguments_of(int argc, const char* const* argv);

// {"eth1,eth2", "eth3"} -> {"eth1", "eth2", "eth3"}
[[nodiscard]] std::vector<std::string> split_at_commas(const std::vector<std::string>& texts);

}  // namespace aoe::config
