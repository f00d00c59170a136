#include "compat/program.h"

#include <fmt/format.h>

#include <algorithm>

namespace aoe::compat {
namespace {

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

const Command* find_command(std::span<const Command> commands, std::string_view name) {
  const auto found = std::find_if(commands.begin(), commands.end(),
                                  [name](const Command& command) { return command.name == name; });
  return found == commands.end() ? nullptr : &*found;
}

}  // namespace

int run_program(std::span<const Command> commands, int argc, const char* const* argv) {
  StandardConsole console;
  std::vector<std::string> words(argv, argv + std::max(argc, 0));
  if (words.empty()) {
    words.emplace_back();
  }
  Call call;
  call.called = words.front();
  const Command* command = find_command(commands, base_name(words.front()));
  if (command == nullptr && words.size() > 1) {
    command = find_command(commands, words[1]);
    words.erase(words.begin());
    call.called = words.front();
  }
  if (command == nullptr) {
    std::string names;
    for (const Command& known : commands) {
      names += fmt::format(" {}", known.name);
    }
    console.error(fmt::format("{}: no such command; this program is called by the names{}\n",
                              base_name(words.front()), names));
    return 2;
  }
  call.name = command->name;
  call.arguments.assign(words.begin() + 1, words.end());
  call.places = places_of_environment();
  const int status = command->run(call, console);
  return status == 0 && !console.ok() ? 1 : status;
}

}  // namespace aoe::compat
