#include "config/daemon_command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>

namespace aoe::config {
namespace {

// "--config: expected FILE" instead of the library's "--config: 1 required FILE missing".
std::string missing_argument(const CLI::App& app, const CLI::ArgumentMismatch& error) {
  const std::string_view what = error.what();
  const CLI::Option* option = app.get_option_no_throw(std::string(what.substr(0, what.find(':'))));
  return option == nullptr ? sanitized(what)
                           : fmt::format("{}: expected {} behind it", option->get_name(),
                                         option->get_type_name());
}

Diagnostics one_error(std::string text) {
  Diagnostics diagnostics;
  diagnostics.add_error(std::string(kCommandLine), std::move(text));
  return diagnostics;
}

// The long name: what stands behind the last dashes of "-c,--config".
const char* long_name(const char* names) {
  const std::string_view all = names;
  return names + (all.rfind("--") == std::string_view::npos ? 0 : all.rfind("--"));
}

}  // namespace

DaemonCommandLine::DaemonCommandLine(const DaemonTexts& texts)
    : app_(std::make_unique<CLI::App>(texts.description, texts.program)), texts_(texts) {
  app_->set_help_flag("-h,--help", "Print this help and exit");
  app_->set_version_flag("-V,--version", std::string(texts.program) + " " AOE_VERSION,
                         "Print the version and exit");
  add_list({"-i,--interface", "IF[,IF..]", texts.interface_help}, options_.interfaces);
  add_text({"-c,--config", "FILE", texts.config_help}, "the path of a file", options_.config_path);
  add_override({"--port", "KIND", "How frames go through interfaces: auto, packet or xdp (auto)"},
               "port");
  add_override({"--control", "PATH", texts.control_help}, "control");
  add_override({"--log-level", "LEVEL", "error, warning, info, debug or trace (info)"},
               "log_level");
  add_override({"--busy-poll", "auto|TIME", "How long to look for frames before sleeping (auto)"},
               "busy_poll");
  add_override({"--user", "NAME", "Become this user after start"}, "user");
  add_override({"--group", "NAME", "Become this group after start; with --user"}, "group");
  add_flag("--foreground", "Accepted and without effect: it never forks", foreground_);
  add_flag("--check-config", "Check the configuration, print what is wrong, exit with 0 or 2",
           check_config_);
  add_flag("--dump-config", "Check the configuration, print it as TOML, exit with 0 or 2",
           dump_config_);
  app_->footer(texts.footer);
  app_->allow_extras();
}

DaemonCommandLine::~DaemonCommandLine() = default;

void DaemonCommandLine::add_list(const OptionText& option, std::vector<std::string>& into) {
  // One argument an option: a list that ends at the next option would swallow slips.
  app_->add_option(option.names, into, option.help)
      ->type_name(option.value_name)
      ->allow_extra_args(false);
}

// An option that is given twice is our error to report (check), in our words: hence TakeLast.
void DaemonCommandLine::add_text(const OptionText& option, std::string_view expected,
                                 std::optional<std::string>& into) {
  TextOption& added = text_options_.emplace_back(
      TextOption{.name = long_name(option.names), .expected = expected, .into = into});
  app_->add_option(option.names, added.found, option.help)
      ->type_name(option.value_name)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void DaemonCommandLine::add_override(const OptionText& option, std::string_view key) {
  Override& added = overrides_.emplace_back(Override{.key = key, .name = long_name(option.names)});
  app_->add_option(option.names, added.found, option.help)
      ->type_name(option.value_name)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void DaemonCommandLine::add_flag(const char* name, const char* help, bool& into) {
  app_->add_flag(name, into, help)->disable_flag_override();
}

// What CLI11 could not place: unknown options, and arguments that belong to none. The argument
// behind an unknown option is probably its value and not worth a line of its own.
void DaemonCommandLine::report_extras(Diagnostics& diagnostics) const {
  std::vector<std::string> names;
  for (const CLI::Option* option : std::as_const(*app_).get_options()) {
    for (const std::string& name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  bool behind_unknown = false;
  for (const std::string& extra : app_->remaining()) {
    if (extra.size() > 1 && extra.front() == '-') {
      const std::string name = extra.substr(0, extra.find('='));
      diagnostics.add_error(std::string(kCommandLine), unknown_word("option", name, candidates));
      behind_unknown = true;
    } else if (!behind_unknown) {
      diagnostics.add_error(std::string(kCommandLine),
                            fmt::format("unexpected argument {}: expected options alone{}",
                                        in_quotes(extra), texts_.stray_hint));
    } else {
      behind_unknown = false;
    }
  }
}

void DaemonCommandLine::check(Diagnostics& diagnostics) const {
  const auto error = [&diagnostics](std::string text) {
    diagnostics.add_error(std::string(kCommandLine), std::move(text));
  };
  for (const CLI::Option* option : std::as_const(*app_).get_options()) {
    if (option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeLast &&
        option->get_expected_max() == 1 && option->count() > 1) {
      error(fmt::format("{}: given twice", option->get_name()));
    }
  }
  for (const TextOption& option : text_options_) {
    if (app_->count(option.name) > 0 && option.found.empty()) {
      error(fmt::format("{}: empty: expected {}", option.name, option.expected));
    }
  }
  if (check_config_ && dump_config_) {
    error("--check-config and --dump-config: expected one of them");
  }
}

DaemonOptions DaemonCommandLine::take_options() {
  if (check_config_) {
    options_.action = Action::check_config;
  } else if (dump_config_) {
    options_.action = Action::dump_config;
  }
  for (TextOption& option : text_options_) {
    if (app_->count(option.name) > 0) {
      option.into = std::move(option.found);
    }
  }
  for (Override& known : overrides_) {
    if (app_->count(known.name) > 0) {
      options_.overrides.emplace_back(known.key,
                                      ConfigValue::word(std::move(known.found), known.name));
    }
  }
  return std::move(options_);
}

std::variant<DaemonOptions, PrintedText, Diagnostics> DaemonCommandLine::parse(
    const std::vector<std::string>& arguments) {
  try {
    // The library takes the arguments last first.
    app_->parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    return PrintedText{app_->help()};
  } catch (const CLI::CallForVersion& version) {
    return PrintedText{version.what() + std::string("\n")};
  } catch (const CLI::ArgumentMismatch& error) {
    return one_error(missing_argument(*app_, error));
  } catch (const CLI::Error& error) {
    return one_error(sanitized(error.what()));
  }
  Diagnostics diagnostics;
  report_extras(diagnostics);
  if (diagnostics.ok()) {
    check(diagnostics);
  }
  if (!diagnostics.ok()) {
    return diagnostics;
  }
  return take_options();
}

std::vector<std::string> arguments_of(int argc, const char* const* argv) {
  return argc < 1 ? std::vector<std::string>{} : std::vector<std::string>(argv + 1, argv + argc);
}

std::vector<std::string> split_at_commas(const std::vector<std::string>& texts) {
  std::vector<std::string> items;
  for (const std::string& text : texts) {
    std::string_view rest = text;
    while (true) {
      const std::size_t comma = rest.find(',');
      items.emplace_back(rest.substr(0, comma));
      if (comma == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(comma + 1);
    }
  }
  return items;
}

}  // namespace aoe::config
