#include "compat/solaris/arguments.h"

#include <fmt/format.h>

#include <array>

namespace aoe::compat::solaris {

const std::string* Arguments::find(std::string_view name) const {
  const std::string* found = nullptr;
  for (const Value& option : options) {
    if (option.name == name) {
      found = &option.value;
    }
  }
  return found;
}

std::optional<Arguments> read_arguments(const Call& call, const ArgumentForm& form,
                                        Console& console, int& status) {
  std::vector<LongOption> known(form.long_options.begin(), form.long_options.end());
  known.push_back({"help", false});
  OptionScanner scanner(call.arguments, form.letters, known);
  Arguments arguments;
  while (const auto option = scanner.next()) {
    if (!option->error.empty()) {
      status = misused(call, form, console, option->error);
      return std::nullopt;
    }
    if (option->name == "help") {
      console.out(fmt::format("usage: {}\n\n{}", form.usage, form.help));
      status = kOk;
      return std::nullopt;
    }
    arguments.options.push_back({option->name, option->value});
  }
  arguments.operands = scanner.operands();
  return arguments;
}

std::optional<Arguments> read_options(const Call& call, const ArgumentForm& form, Console& console,
                                      int& status) {
  auto arguments = read_arguments(call, form, console, status);
  if (arguments && !arguments->operands.empty()) {
    status = misused(call, form, console, arguments->operands.front() + ": expected options only");
    return std::nullopt;
  }
  return arguments;
}

int report_end(const Call& call, const Result<void>& done, Console& console) {
  if (!done) {
    console.error(fmt::format("{}: {}\n", call.name, done.error().message));
  }
  return done ? kOk : kFailed;
}

int misused(const Call& call, const ArgumentForm& form, Console& console, std::string_view what) {
  console.error(fmt::format("{}: {}\nusage: {}\n", call.name, what, form.usage));
  return kMisused;
}

std::vector<std::string> split_list(std::string_view list) {
  std::vector<std::string> pieces;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (const std::string_view piece = list.substr(0, comma); !piece.empty()) {
      pieces.emplace_back(piece);
    }
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  }
  return pieces;
}

}  // namespace aoe::compat::solaris
