// Which lines grep would print.
#pragma once

#include "base/result.h"

#include <regex.h>

#include <memory>
#include <string>

namespace aoe::compat::aoetools {

// A basic regular expression of POSIX.
class LineFilter {
 public:
  // Errors: invalid_argument.
  [[nodiscard]] static Result<LineFilter> make(const std::string& expression);

  [[nodiscard]] bool matches(const std::string& line) const;

 private:
  struct Free {
    void operator()(regex_t* expression) const {
      ::regfree(expression);
      std::default_delete<regex_t>()(expression);
    }
  };

  explicit LineFilter(std::unique_ptr<regex_t, Free> compiled) : compiled_(std::move(compiled)) {}

  std::unique_ptr<regex_t, Free> compiled_;
};

}  // namespace aoe::compat::aoetools
