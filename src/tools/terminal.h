// The terminal as a page that a program redraws, with plain control sequences.
#pragma once

#include "base/result.h"
#include "base/time.h"
#include "os/signals.h"

#include <termios.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace aoe::tools {

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

// Of the terminal behind a descriptor; the usual 80 x 24 where it does not say.
[[nodiscard]] TerminalSize terminal_size(int fd);

// While it lives, standard output shows a page of its own, keys come as they are typed, and Ctrl-C
// is a key; everything is put back when it goes. Single-threaded programs only.
class TerminalPage {
 public:
  // Errors: invalid_argument (standard input or output is no terminal), io.
  [[nodiscard]] static Result<std::unique_ptr<TerminalPage>> open();

  TerminalPage(const TerminalPage&) = delete;
  TerminalPage& operator=(const TerminalPage&) = delete;
  ~TerminalPage();

  [[nodiscard]] TerminalSize size() const;

  // Replaces what is shown. Lines beyond the terminal's are cut off at both edges.
  [[nodiscard]] Result<void> draw(std::string_view text);

  enum class Input : std::uint8_t {
    none,    // the time is over
    key,     // see last_key()
    resize,  // the page has another size now
    stop,    // a signal asks the program to end
  };

  // Waits for one of them, until `deadline`.
  [[nodiscard]] Input wait(Instant deadline);

  [[nodiscard]] char last_key() const { return last_key_; }

 private:
  TerminalPage(const termios& before, std::unique_ptr<os::SignalSet> signals)
      : before_(before), signals_(std::move(signals)) {}

  termios before_;
  std::unique_ptr<os::SignalSet> signals_;
  char last_key_ = 0;
};

}  // namespace aoe::tools
