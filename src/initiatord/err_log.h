// The lines of `err`, numbered, for those who read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

namespace aoe::initiatord {

class ErrLog {
 public:
  // A line with its end; the oldest makes room.
  void add(std::string line) {
    if (lines_.size() == kLinesMax) {
      lines_.pop_front();
    }
    lines_.push_back(std::move(line));
    ++last_;
  }

  // Of the newest line, 0 before the first.
  [[nodiscard]] std::uint64_t last() const { return last_; }

  // The number of the first line behind `number` that is still there; 0 when there is none.
  [[nodiscard]] std::uint64_t first_after(std::uint64_t number) const {
    const std::uint64_t first = last_ - lines_.size() + 1;
    const std::uint64_t wanted = number < first ? first : number + 1;
    return wanted > last_ ? 0 : wanted;
  }

  // `number` as first_after() gave it.
  [[nodiscard]] const std::string& line(std::uint64_t number) const {
    return lines_[number + lines_.size() - 1 - last_];
  }

 private:
  static constexpr std::size_t kLinesMax = 1024;

  std::uint64_t last_ = 0;
  std::deque<std::string> lines_;
};

}  // namespace aoe::initiatord
