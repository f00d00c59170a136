// What is wrong with a configuration file, and where.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat::solaris {

struct ConfigProblem {
  std::size_t line = 0;  // from 1
  std::string text;

  friend bool operator==(const ConfigProblem&, const ConfigProblem&) = default;
};

// "/etc/aoe.conf:3: text" a line, each with its line end.
[[nodiscard]] std::string problems_text(std::string_view path,
                                        const std::vector<ConfigProblem>& problems);

}  // namespace aoe::compat::solaris
