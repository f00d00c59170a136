#include "compat/solaris/aoed_conf.h"
#include "compat/solaris/arguments.h"
#include "compat/solaris/commands.h"
#include "compat/solaris/text_file.h"

#include <fmt/format.h>

#include <set>

namespace aoe::compat::solaris {
namespace {

constexpr ArgumentForm kForm{
    "",
    {},
    "aoemkconf [CHAN/MAJ/MIN | FILE]..",
    "Prints entries for aoed.conf: one for each address, without those whose instance number\n"
    "stands in one of the files. 0/7/9-11 is 0/7/9, 0/7/10 and 0/7/11.\n\n"
    "  --help  show this help and end\n"};

// Adds the instances of a file; false after a message.
bool take_file(const Call& call, Console& console, const std::string& path,
               std::set<std::uint32_t>& taken) {
  const auto text = read_text_file(path);
  if (!text) {
    console.error(fmt::format("{}: {}\n", call.name, text.error().message));
    return false;
  }
  const AoedConf conf = parse_aoed_conf(*text);
  console.error(problems_text(path, conf.problems));
  for (const AoedDevice& device : conf.devices) {
    taken.insert(device.instance);
  }
  return conf.problems.empty();
}

}  // namespace

int run_aoemkconf(const Call& call, Console& console) {
  int status = kOk;
  const auto arguments = read_arguments(call, kForm, console, status);
  if (!arguments) {
    return status;
  }
  std::vector<TargetAddress> wanted;
  std::set<std::uint32_t> taken;
  for (const std::string& word : arguments->operands) {
    if (!looks_like_addresses(word)) {
      // Without knowing all that is taken, anything printed could be a second entry.
      if (!take_file(call, console, word, taken)) {
        return kFailed;
      }
      continue;
    }
    const auto addresses = parse_address_ranges(word);
    if (!addresses) {
      return misused(call, kForm, console, addresses.error().message);
    }
    wanted.insert(wanted.end(), addresses->begin(), addresses->end());
  }
  std::string text;
  for (const TargetAddress& address : wanted) {
    const auto instance = standard_instance(address);
    if (!instance) {
      console.error(fmt::format(
          "{}: {}: no standard instance number (majors and minors up to 99 have one: write this "
          "entry by hand)\n",
          call.name, to_string(address)));
      status = kFailed;
    } else if (taken.insert(*instance).second) {
      text += aoed_entry(*instance, address);
    }
  }
  console.out(text);
  return status;
}

}  // namespace aoe::compat::solaris
