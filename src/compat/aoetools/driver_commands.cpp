// aoe-discover, aoe-interfaces, aoe-revalidate, aoe-flush: what the driver is told.
#include "compat/aoetools/commands.h"
#include "compat/aoetools/common_options.h"
#include "compat/aoetools/files.h"

#include <fmt/format.h>

#include <algorithm>

namespace aoe::compat::aoetools {
namespace {

// Every line of the message behind the command's name, as the scripts print it.
int report(const Call& call, const Error& error, Console& console) {
  std::string_view rest = error.message;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    console.error(fmt::format("{}: {}\n", call.name, rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 1;
}

// The scripts leave their arguments to the shell, which splits them once more.
std::vector<std::string> words_of(const std::vector<std::string>& operands) {
  std::vector<std::string> words;
  for (const std::string& operand : operands) {
    const auto more = split_words(operand);
    words.insert(words.end(), more.begin(), more.end());
  }
  return words;
}

// Prints the name of each word that is no device; true when all are.
bool check_devices(const Call& call, const std::vector<std::string>& words,
                   const std::vector<DeviceFiles>& known, const CommonOptions& options,
                   Console& console) {
  bool is_good = true;
  for (const std::string& word : words) {
    if (std::any_of(known.begin(), known.end(),
                    [&](const DeviceFiles& device) { return device.name == word; })) {
      continue;
    }
    is_good = false;
    const std::string line =
        fmt::format("{} Error: \"{}\" is not an aoe device\n", call.name, word);
    // By a slip of its redirection, the script says this on standard output.
    if (options.strict == Strict::yes) {
      console.error(line);
    } else {
      console.out(line);
    }
  }
  return is_good;
}

}  // namespace

int start_discovery(const Call& call, Driver& driver, Console& console) {
  const ParsedCall parsed = parse_call(call, "", console);
  constexpr const char* kText = "Asks the network for AoE targets, and returns at once.\n\n";
  if (parsed.is_answered(help_text("aoe-discover [options]", kText), console)) {
    return parsed.answered_status();
  }
  auto done = driver.check(Control::discover);
  if (done) {
    done = driver.discover();
  }
  return done ? 0 : report(call, done.error(), console);
}

int show_or_set_interfaces(const Call& call, Driver& driver, Console& console) {
  const ParsedCall parsed = parse_call(call, "c", console);
  constexpr const char* kText =
      "Shows the interfaces that are used for AoE, or sets them.\n\n"
      "  -c              Any interface (with aoe-initiatord: auto)\n";
  if (parsed.is_answered(help_text("aoe-interfaces [options] [-c | interface..]", kText),
                         console)) {
    return parsed.answered_status();
  }
  const bool clears = !parsed.letters.empty();
  if (clears && !parsed.operands.empty()) {
    console.error(fmt::format("{} Error: -c flag takes no arguments\n", call.name));
    return 1;
  }
  if (!clears && parsed.operands.empty()) {
    const auto text = driver.interfaces();
    if (!text) {
      // The script says nothing here.
      return parsed.common.strict == Strict::yes ? report(call, text.error(), console) : 1;
    }
    console.out(*text);
    return 0;
  }
  const std::vector<std::string> names = words_of(parsed.operands);
  bool is_good = true;
  for (const std::string& name : names) {
    if (!driver.is_interface(name)) {
      console.error(fmt::format("{} Error: \"{}\" is not a network interface\n", call.name, name));
      is_good = false;
    }
  }
  if (!is_good) {
    return 1;
  }
  auto done = driver.check(Control::interfaces);
  if (done) {
    done = driver.set_interfaces(names);
  }
  return done ? 0 : report(call, done.error(), console);
}

int revalidate_devices(const Call& call, Driver& driver, Console& console) {
  const ParsedCall parsed = parse_call(call, "", console);
  constexpr const char* kText = "Asks devices again what they are.\n\n";
  if (parsed.is_answered(help_text("aoe-revalidate [options] e{major}.{minor}..", kText),
                         console)) {
    return parsed.answered_status();
  }
  const std::vector<std::string> devices = words_of(parsed.operands);
  if (devices.empty()) {
    console.error("Usage: aoe-revalidate e{major}.{minor}\n");
    return 1;
  }
  if (const auto possible = driver.check(Control::revalidate); !possible) {
    return report(call, possible.error(), console);
  }
  // The script hands all of them to the driver in one line, of which that reads the first.
  int status = 0;
  for (const std::string& device : devices) {
    if (const auto done = driver.revalidate(device); !done) {
      report(call, done.error(), console);
      console.error(fmt::format("{}: revalidate failed\n", call.name));
      status = 1;
    }
  }
  return status;
}

int flush_devices(const Call& call, Driver& driver, Console& console) {
  const ParsedCall parsed = parse_call(call, "a", console);
  constexpr const char* kText =
      "Forgets devices: those that are down and unused, or the named ones.\n\n"
      "  -a              All that are not in use\n";
  if (parsed.is_answered(help_text("aoe-flush [options] [-a | device..]", kText), console)) {
    return parsed.answered_status();
  }
  if (const auto possible = driver.check(Control::flush); !possible) {
    return report(call, possible.error(), console);
  }
  std::vector<std::string> wanted = words_of(parsed.operands);
  if (!parsed.letters.empty()) {
    wanted = {"all"};
  } else if (wanted.empty()) {
    wanted = {""};
  } else {
    const auto known = driver.devices();
    if (!known) {
      return report(call, known.error(), console);
    }
    if (!check_devices(call, wanted, *known, parsed.common, console)) {
      return 1;
    }
  }
  int status = 0;
  for (const std::string& what : wanted) {
    if (const auto done = driver.flush(what); !done) {
      report(call, done.error(), console);
      console.error(fmt::format("{}: flush failed\n", call.name));
      status = 1;
    }
  }
  return status;
}

}  // namespace aoe::compat::aoetools
