#include "compat/aoetools/partition_list.h"

#include "base/parse.h"
#include "compat/aoetools/files.h"

#include <algorithm>

namespace aoe::compat::aoetools {

std::string partition_name(std::string_view node) {
  constexpr std::string_view kDev = "/dev/";
  return std::string(node.starts_with(kDev) ? node.substr(kDev.size()) : node);
}

std::optional<std::uint64_t> partition_kib(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('\n'), list.size());
    // major minor #blocks name
    const auto words = split_words(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (words.size() == 4 && words[3] == name) {
      const auto kib = parse_unsigned(words[2]);
      return kib ? std::optional(*kib) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace aoe::compat::aoetools
