// The messages of a configuration as lines, for comparison with what a table expects.
#pragma once

#include "config/diagnostics.h"

#include <string>
#include <vector>

namespace aoe::config {

inline std::vector<std::string> lines_of(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> lines;
  for (const Diagnostic& diagnostic : diagnostics) {
    lines.push_back(to_string(diagnostic));
  }
  return lines;
}

}  // namespace aoe::config
