#include "compat/console.h"

#include <cstdio>

namespace aoe::compat {

void StandardConsole::out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    ok_ = false;
  }
}

void StandardConsole::error(std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
  (void)std::fflush(stderr);
}

}  // namespace aoe::compat
