// aoe-mkdevs and aoe-mkshelf: device nodes on hosts without udev.
#include "base/parse.h"
#include "compat/aoetools/commands.h"
#include "compat/aoetools/common_options.h"
#include "compat/aoetools/files.h"
#include "compat/aoetools/node_plan.h"
#include "os/environment.h"
#include "os/error_text.h"

#include <fmt/format.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace aoe::compat::aoetools {
namespace {

constexpr unsigned kShelvesDefault = 10;
constexpr unsigned kPartitionsDefault = 16;
constexpr unsigned kPartitionsMax = 256;
constexpr unsigned kMinorBits = 20;

// How many shelves have minor numbers.
unsigned shelves_max(unsigned partitions) {
  return (1U << kMinorBits) / (kSlotsPerShelf * partitions);
}

int fail_with_line(const Call& call, std::string_view text, Console& console) {
  console.error(fmt::format("{} Error: {}\n", call.name, text));
  return 1;
}

std::optional<unsigned> number_up_to(std::string_view text, unsigned max) {
  const auto number = parse_unsigned(text);
  return number && *number <= max ? std::optional(static_cast<unsigned>(*number)) : std::nullopt;
}

// Of an environment variable; nullopt when it is no number of that range.
std::optional<unsigned> setting(const char* name, unsigned otherwise, unsigned max) {
  const char* const text = os::environment(name);
  return text == nullptr || *text == '\0' ? std::optional(otherwise) : number_up_to(text, max);
}

bool udev_runs(const Places& places) {
  if (is_directory(places.run + "/udev") || is_directory(places.dev + "/.udev")) {
    return true;
  }
  const std::vector<std::string> processes = names_in(places.proc);
  return std::any_of(processes.begin(), processes.end(), [&](const std::string& name) {
    const bool is_process = parse_unsigned(name).has_value();
    const auto command =
        is_process ? read_small_file(places.proc + "/" + name + "/cmdline") : std::nullopt;
    return command && command->find("udevd") != std::string::npos;
  });
}

// Why nodes are not made by hand here; true when they are.
bool check_nodes_are_wanted(const Call& call, Console& console) {
  const auto refuse = [&](const std::string& why) {
    console.error(fmt::format("{0} Error: {1}\n{0}: Please see the {0} manpage.\n{0}: Exiting.\n",
                              call.name, why));
    return false;
  };
  const auto dynamic = read_small_file(call.places.sys + "/module/aoe/parameters/aoe_dyndevs");
  if (dynamic && split_words(*dynamic) == std::vector<std::string>{"1"}) {
    return refuse("aoe module is using dynamic devices.");
  }
  if (udev_runs(call.places)) {
    return refuse(fmt::format("udev detected.  You shouldn't need to use {}.", call.name));
  }
  return true;
}

int make_all(const Call& call, const std::string& directory, const std::vector<DeviceNode>& nodes,
             Console& console) {
  for (const DeviceNode& node : nodes) {
    const std::string path = directory + "/" + node.name;
    const mode_t type = node.kind == DeviceNode::Kind::block ? S_IFBLK : S_IFCHR;
    (void)::unlink(path.c_str());
    if (::mknod(path.c_str(), type | node.mode, makedev(kAoeMajor, node.minor)) != 0 ||
        ::chmod(path.c_str(), node.mode) != 0) {
      return fail_with_line(call, os::os_error(errno, path + ": make the node").message, console);
    }
  }
  return 0;
}

// nullopt, and a message, when it is out of range.
std::optional<unsigned> partitions_of(const Call& call, Console& console) {
  const auto partitions = setting("n_partitions", kPartitionsDefault, kPartitionsMax);
  if (!partitions || *partitions == 0) {
    fail_with_line(
        call, fmt::format("n_partitions: expected a number from 1 to {}", kPartitionsMax), console);
    return std::nullopt;
  }
  return partitions;
}

}  // namespace

int make_devices(const Call& call, Console& console) {
  const ParsedCall parsed = parse_call(call, "", console);
  constexpr const char* kText =
      "Makes the device nodes of a driver without dynamic minor numbers.\n"
      "Environment: n_partitions (16), n_shelves (10).\n\n";
  if (parsed.is_answered(network_help_text("aoe-mkdevs [options] {dir}", kText), console)) {
    return parsed.answered_status();
  }
  if (parsed.operands.size() != 1) {
    console.error(
        fmt::format("Usage: {0} {{dir}}\n       n_partitions=16 {0} {{dir}}\n", call.name));
    return 1;
  }
  if (!check_nodes_are_wanted(call, console)) {
    return 1;
  }
  const auto partitions = partitions_of(call, console);
  if (!partitions) {
    return 1;
  }
  const unsigned max = shelves_max(*partitions);
  const auto shelves = setting("n_shelves", kShelvesDefault, max);
  if (!shelves) {
    return fail_with_line(call, fmt::format("n_shelves: expected a number from 0 to {}", max),
                          console);
  }
  const std::string& directory = parsed.operands.front();
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) {
    return fail_with_line(call, os::os_error(failed.value(), directory).message, console);
  }
  int status = make_all(call, directory, control_nodes(), console);
  for (unsigned shelf = 0; status == 0 && shelf < *shelves; ++shelf) {
    status = make_all(call, directory, shelf_nodes(shelf, *partitions), console);
  }
  return status;
}

int make_shelf(const Call& call, Console& console) {
  const ParsedCall parsed = parse_call(call, "", console);
  constexpr const char* kText =
      "Makes the device nodes of one shelf, for a driver without dynamic minor numbers.\n"
      "Environment: n_partitions (16).\n\n";
  if (parsed.is_answered(network_help_text("aoe-mkshelf [options] {dir} {shelfaddress}", kText),
                         console)) {
    return parsed.answered_status();
  }
  if (parsed.operands.size() != 2) {
    console.error(
        fmt::format("Usage: {0} {{dir}} {{shelfaddress}}\n       n_partitions=16 {0} {{dir}} "
                    "{{shelfaddress}}\n",
                    call.name));
    return 1;
  }
  if (!check_nodes_are_wanted(call, console)) {
    return 1;
  }
  const auto partitions = partitions_of(call, console);
  if (!partitions) {
    return 1;
  }
  const unsigned max = shelves_max(*partitions) - 1;
  const auto shelf = number_up_to(parsed.operands[1], max);
  if (!shelf) {
    return fail_with_line(
        call, fmt::format("\"{}\" is not a shelf address (0 to {})", parsed.operands[1], max),
        console);
  }
  return make_all(call, parsed.operands[0], shelf_nodes(*shelf, *partitions), console);
}

}  // namespace aoe::compat::aoetools
