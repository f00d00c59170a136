// Cuts a byte stream into lines, with a limit on what it keeps.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace aoe::control {

// Holds what was appended and not yet taken. A line longer than the limit is not kept: the splitter
// then is `overflowed` for good, after it has given out the lines before it, because where the next
// line would start is not known until the peer chooses to send a newline.
class LineSplitter {
 public:
  explicit LineSplitter(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  void append(std::string_view bytes);

  // The next whole line without its newline (and without a CR before it), or nullopt.
  [[nodiscard]] std::optional<std::string> next_line();

  // What stands behind the last newline, for the end of the stream. Leaves the splitter empty.
  [[nodiscard]] std::string take_rest();

  // True once the unfinished line is longer than the limit.
  [[nodiscard]] bool overflowed() const { return overflowed_; }

  [[nodiscard]] std::size_t buffered_bytes() const { return buffer_.size() - start_; }

 private:
  std::size_t line_bytes_max_;
  std::string buffer_;
  std::size_t start_ = 0;    // where the next line begins
  std::size_t scanned_ = 0;  // no newline between start_ and here
  bool overflowed_ = false;
};

}  // namespace aoe::control
