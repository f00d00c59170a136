// What went wrong in a run.
#pragma once

#include "base/time.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace aoe::sim {

// The rules that are always watched.
enum class Rule : std::uint8_t {
  linearizable,     // reads see what one order of all operations allows
  durable,          // nothing that was acknowledged as safe is gone
  stale_execution,  // no write executes after it was answered, or over a newer one
  exactly_once,     // a sequence of a session executes once
  completion,       // one completion for each request
  wrong_answer,     // no answer taken for another request
  fencing,          // nothing of a non-holder executes after a reservation was answered
  bounds,           // no table beyond its size
  buffers,          // every buffer returns
  progress,         // everything completes soon after the last fault
  user_error,       // no error without a cause
};

[[nodiscard]] const char* rule_name(Rule rule);

// Keeps the first few; counts all.
class Violations {
 public:
  struct Violation {
    Rule rule;
    Instant at;
    std::string what;
  };

  void add(Rule rule, Instant at, std::string what) {
    ++count_;
    if (first_.size() < kKept) {
      first_.push_back({rule, at, std::move(what)});
    }
  }

  [[nodiscard]] bool empty() const { return count_ == 0; }

  [[nodiscard]] std::uint64_t count() const { return count_; }

  [[nodiscard]] const std::vector<Violation>& first() const { return first_; }

  [[nodiscard]] std::string text() const;

 private:
  static constexpr std::size_t kKept = 8;

  std::uint64_t count_ = 0;
  std::vector<Violation> first_;
};

}  // namespace aoe::sim
