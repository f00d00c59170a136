// The text record of what a bridge decided, frame by frame.
#pragma once

#include "base/result.h"
#include "base/time.h"

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::lossbridge {

// One line a decision: `MICROSECONDS IF NUMBER BYTES DECISION`, where the time counts from the
// first line, NUMBER counts the frames that arrived on IF from 0, and the decisions are
// `forwarded`, `delayed=MICROSECONDS [reordered]`, `lost`, `black-holed`, `blocked`, `queue-full`,
// and before the one on its copies `flipped=BIT` and `duplicated`. One line a command:
// `MICROSECONDS command TEXT`.
class DecisionLog {
 public:
  // Replaces the file. Error: what the system says.
  [[nodiscard]] static Result<std::unique_ptr<DecisionLog>> create(const std::string& path);

  void frame(Instant now, std::string_view interface, std::uint64_t number, std::size_t bytes,
             std::string_view decision);
  void command(Instant now, std::string_view text);

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  explicit DecisionLog(std::FILE* file) : file_(file) {}

  [[nodiscard]] std::int64_t microseconds(Instant now);

  std::unique_ptr<std::FILE, Closer> file_;
  std::optional<Instant> start_;
};

}  // namespace aoe::lossbridge
