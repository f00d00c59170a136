// A console that keeps what was printed.
#pragma once

#include "compat/console.h"

#include <string>
#include <string_view>

namespace aoe::compat {

class RecordingConsole final : public Console {
 public:
  void out(std::string_view text) override { printed += text; }

  void error(std::string_view text) override { complaints += text; }

  std::string printed;
  std::string complaints;
};

}  // namespace aoe::compat
