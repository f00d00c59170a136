#include "compat/aoetools/line_filter.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace aoe::compat::aoetools {

Result<LineFilter> LineFilter::make(const std::string& expression) {
  auto storage = std::make_unique<regex_t>();
  const int failed = ::regcomp(storage.get(), expression.c_str(), REG_NOSUB);
  if (failed != 0) {
    std::array<char, 128> why{};
    ::regerror(failed, storage.get(), why.data(), why.size());
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("{}: not a regular expression: {}", expression, why.data()));
  }
  return LineFilter(std::unique_ptr<regex_t, Free>(storage.release()));
}

bool LineFilter::matches(const std::string& line) const {
  return ::regexec(compiled_.get(), line.c_str(), 0, nullptr, 0) == 0;
}

}  // namespace aoe::compat::aoetools
