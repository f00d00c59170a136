// Where a command prints to.
#pragma once

#include <string_view>

namespace aoe::compat {

// Texts as they are, with their line ends. Single thread.
class Console {
 public:
  Console() = default;
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  virtual ~Console() = default;

  virtual void out(std::string_view text) = 0;
  virtual void error(std::string_view text) = 0;
};

// Standard output and standard error, at once: what was printed before a signal ends the program
// has been printed.
class StandardConsole final : public Console {
 public:
  void out(std::string_view text) override;
  void error(std::string_view text) override;

  // Whether everything came out.
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  bool ok_ = true;
};

}  // namespace aoe::compat
