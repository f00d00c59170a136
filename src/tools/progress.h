// How far long work has come, on a terminal only.
#pragma once

#include "base/time.h"

#include <cstdint>
#include <optional>
#include <string>

namespace aoe::tools {

struct ProgressState {
  std::uint64_t done_bytes = 0;
  std::optional<std::uint64_t> total_bytes{};
  Duration elapsed{};
};

// "[=======>            ]  35%  350 MiB of 1.00 GiB  112 MiB/s  6.20 s left" in at most `columns`
// columns, at least 20: what does not fit is left out from the right.
[[nodiscard]] std::string progress_text(const ProgressState& state, std::size_t columns);

// Rewrites one line of standard error, at most five times a second; nothing where standard error is
// not a terminal.
class Progress {
 public:
  enum class Show : std::uint8_t { on_terminal, never };

  Progress(std::optional<std::uint64_t> total_bytes, Show show);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  ~Progress() { clear(); }

  void update(std::uint64_t done_bytes);

  // Takes the line away, so that a message does not end up behind it.
  void clear();

 private:
  std::optional<std::uint64_t> total_bytes_;
  bool shows_ = false;
  bool drawn_ = false;
  Instant start_;
  Instant last_;
};

}  // namespace aoe::tools
