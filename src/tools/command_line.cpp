#include "tools/command_line.h"

#include "tools/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <functional>
#include <map>
#include <utility>

namespace aoe::tools {
namespace {

// Binds an option whose text `parse` turns into a value. The default shows in the help.
template <class Value, class Parse>
CLI::Option* add_parsed(CLI::App& app, const ArgumentSpec& spec, Value& into, Parse parse) {
  const CLI::callback_t store = [&into, parse](const CLI::results_t& texts) {
    auto value = parse(texts.back());
    if (!value) {
      throw CLI::ValidationError(value.error().message);
    }
    into = *value;
    return true;
  };
  return app.add_option(spec.names, store, spec.help)
      ->type_name(spec.value)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

CLI::Option* as_positional(CLI::Option* option, Needed needed) {
  option->type_name("");
  return needed == Needed::yes ? option->required() : option;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : "|") + word;
  }
  return text;
}

CLI::Validator one_of(std::vector<std::string> choices) {
  const std::string expected = joined(choices);
  return {[choices = std::move(choices), expected](const std::string& text) -> std::string {
            for (const std::string& choice : choices) {
              if (choice == text) {
                return {};
              }
            }
            return fmt::format("{}: not one of {}", text, expected);
          },
          ""};
}

}  // namespace

void CommandLine::positional(const ArgumentSpec& spec, std::string& into, Needed needed) {
  as_positional(app_.add_option(spec.names, into, spec.help), needed);
}

void CommandLine::positional_choice(const ArgumentSpec& spec, std::string& into,
                                    const std::vector<std::string>& choices, Needed needed) {
  as_positional(app_.add_option(spec.names, into, spec.help), needed)
      ->type_name(joined(choices))
      ->check(one_of(choices));
}

void CommandLine::positional_rest(const ArgumentSpec& spec, std::vector<std::string>& into) {
  as_positional(app_.add_option(spec.names, into, spec.help), Needed::no);
}

void CommandLine::option(const ArgumentSpec& spec, std::string& into) {
  app_.add_option(spec.names, into, spec.help)->type_name(spec.value);
}

void CommandLine::option(const ArgumentSpec& spec, std::uint64_t& into) {
  add_parsed(app_, spec, into, [](const std::string& text) -> Result<std::uint64_t> {
    const auto number = parse_byte_count(text);
    if (!number || text.find_first_not_of("0123456789") != std::string::npos) {
      return fail_with(Errc::invalid_argument, 0, text + ": not a whole number from 0");
    }
    return number->bytes;
  });
}

void CommandLine::option(const ArgumentSpec& spec, Duration& into) {
  add_parsed(app_, spec, into, [](const std::string& text) { return parse_duration(text); });
}

void CommandLine::option(const ArgumentSpec& spec, ByteCount& into) {
  add_parsed(app_, spec, into, [](const std::string& text) { return parse_byte_count(text); });
}

void CommandLine::option(const ArgumentSpec& spec, std::optional<ByteCount>& into) {
  add_parsed(app_, spec, into, [](const std::string& text) { return parse_byte_count(text); });
}

void CommandLine::option(const ArgumentSpec& spec, std::vector<std::string>& into) {
  // One value an occurrence, so that an option never swallows a positional.
  app_.add_option(spec.names, into, spec.help)->type_name(spec.value)->allow_extra_args(false);
}

void CommandLine::option_choice(const ArgumentSpec& spec, std::string& into,
                                const std::vector<std::string>& choices) {
  app_.add_option(spec.names, into, spec.help)->type_name(joined(choices))->check(one_of(choices));
}

void CommandLine::flag(const ArgumentSpec& spec, bool& into) {
  app_.add_flag(spec.names, into, spec.help);
}

void CommandLine::output_option(OutputFormat& into) {
  const ArgumentSpec spec{"-o,--output", "text|wide|json", "Form of the output (default text)"};
  add_parsed(app_, spec, into, [](const std::string& text) -> Result<OutputFormat> {
    if (text == "text") {
      return OutputFormat::text;
    }
    if (text == "wide") {
      return OutputFormat::wide;
    }
    if (text == "json") {
      return OutputFormat::json;
    }
    return fail_with(Errc::invalid_argument, 0, text + ": not one of text|wide|json");
  });
}

void CommandLine::epilogue(std::string text) {
  app_.footer(std::move(text));
}

namespace {

// The app that was being parsed when an error came: the innermost subcommand given.
const CLI::App& innermost(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : innermost(*chosen.back());
}

std::string path_of(const CLI::App& app) {
  if (app.get_parent() == nullptr) {
    return app.get_name();
  }
  return path_of(*app.get_parent()) + " " + app.get_name();
}

ExitStatus report_misuse(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& where = innermost(app);
  const std::string path = path_of(where);
  std::string what = error.what();
  if (where.get_subcommands([](const CLI::App*) { return true; }).empty()) {
    what = where.get_name() + ": " + what;
  } else if (error.get_name() == "RequiredError") {
    const auto words = where.remaining();
    what = words.empty() ? "no command given" : fmt::format("{}: no such command", words.front());
    if (where.get_parent() != nullptr) {
      what = where.get_name() + ": " + what;
    }
  }
  print_error(fmt::format("{}: {} (see {} --help)\n", app.get_name(), what, path));
  return ExitStatus::misused;
}

void set_style(CLI::App& app) {
  constexpr std::size_t kHelpColumn = 30;
  app.get_formatter()->column_width(kHelpColumn);
  app.get_formatter()->label("REQUIRED", "");
  app.set_help_flag("-h,--help", "Show this help and end");
  app.option_defaults()->ignore_case(false);
}

}  // namespace

ExitStatus run_program(const Program& program, int argc, const char* const* argv) {
  CLI::App app(program.summary, program.name);
  set_style(app);
  app.set_version_flag("--version", fmt::format("{} {}", program.name, program.version),
                       "Show the version and end");
  // Exactly one, so that later words are never taken for commands: a config string may be "copy".
  app.require_subcommand(1);
  std::map<std::string, CLI::App*> parents{{"", &app}};
  for (const CommandGroup& group : program.groups) {
    CLI::App* added = app.add_subcommand(group.name, group.summary);
    set_style(*added);
    added->require_subcommand(1);
    parents.emplace(group.name, added);
  }
  std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>> commands;
  std::string unused_control_path;
  for (const CommandEntry& entry : program.commands) {
    CLI::App* added = parents.at(entry.group)->add_subcommand(entry.name, entry.summary);
    set_style(*added);
    CommandLine line(*added);
    commands.emplace_back(added, entry.make());
    commands.back().second->define(line);
    // Every command takes it, so that a script can name its daemon once for all of them.
    if (added->get_option_no_throw("--control") == nullptr) {
      added->add_option("--control", unused_control_path, "Ignored: this command asks no daemon")
          ->type_name("PATH");
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    // --help and --version; CLI11 prints them through streams.
    return app.exit(help) == 0 ? ExitStatus::ok : ExitStatus::failed;
  } catch (const CLI::ParseError& error) {
    return report_misuse(app, error);
  }
  for (const auto& [parsed, command] : commands) {
    if (!parsed->parsed()) {
      continue;
    }
    const auto status = command->run();
    if (status) {
      return *status;
    }
    print_error(fmt::format("{}: {}\n", program.name, status.error().message));
    return exit_status_of(status.error().code);
  }
  return ExitStatus::misused;
}

}  // namespace aoe::tools
