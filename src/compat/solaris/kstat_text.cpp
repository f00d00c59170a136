#include "compat/solaris/kstat_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace aoe::compat::solaris {
namespace {

// Seconds with nine digits behind the point, as the originals are.
std::string seconds_text(Duration time) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  return fmt::format("{}.{:09}", time.ns / kNsPerSecond, time.ns % kNsPerSecond);
}

}  // namespace

std::string kstat_text(const KstatTable& table) {
  auto values = table.values;
  values.emplace_back("crtime", seconds_text(table.crtime));
  values.emplace_back("snaptime", seconds_text(table.snaptime));
  std::sort(values.begin(), values.end());
  std::string text = fmt::format("module: {:<30}  instance: {:<6}\n", "aoed", table.instance);
  text += fmt::format("name:   {:<30}  class:    {:<16}\n",
                      fmt::format("aoed{},{}", table.instance, table.name), "misc");
  for (const auto& [name, value] : values) {
    text += fmt::format("\t{:<30}  {}\n", name, value);
  }
  return text + "\n";
}

}  // namespace aoe::compat::solaris
