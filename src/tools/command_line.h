// What a command says about its arguments, without the parser's own types: only command_line.cpp
// sees CLI11, which costs seconds in every file that includes it.
#pragma once

#include "base/time.h"
#include "tools/output.h"
#include "tools/values.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}  // namespace CLI

namespace aoe::tools {

// How an argument is written and explained.
struct ArgumentSpec {
  const char* names = "";  // "-c,--count" for an option, "DEVICE" for a positional
  const char* value = "";  // how help calls an option's value: "N"
  const char* help = "";
};

enum class Needed : bool { no, yes };

// The arguments of one command. Every call binds one to a variable, which must live until the
// command has run and whose value before is the default. Values are checked as they are parsed; a
// wrong one ends the program with exit status 2.
class CommandLine {
 public:
  explicit CommandLine(CLI::App& app) : app_(app) {}

  void positional(const ArgumentSpec& spec, std::string& into, Needed needed);
  // One of a few words.
  void positional_choice(const ArgumentSpec& spec, std::string& into,
                         const std::vector<std::string>& choices, Needed needed);
  // Everything that is left.
  void positional_rest(const ArgumentSpec& spec, std::vector<std::string>& into);

  void option(const ArgumentSpec& spec, std::string& into);
  void option(const ArgumentSpec& spec, std::uint64_t& into);
  void option(const ArgumentSpec& spec, Duration& into);
  void option(const ArgumentSpec& spec, ByteCount& into);
  void option(const ArgumentSpec& spec, std::optional<ByteCount>& into);
  // May be repeated.
  void option(const ArgumentSpec& spec, std::vector<std::string>& into);
  void option_choice(const ArgumentSpec& spec, std::string& into,
                     const std::vector<std::string>& choices);
  void flag(const ArgumentSpec& spec, bool& into);

  // "-o,--output text|wide|json".
  void output_option(OutputFormat& into);

  // Text behind the options: notes and examples.
  void epilogue(std::string text);

 private:
  CLI::App& app_;
};

}  // namespace aoe::tools
