#include "control/line_splitter.h"

namespace aoe::control {

void LineSplitter::append(std::string_view bytes) {
  if (overflowed_) {
    return;
  }
  if (start_ > 0) {
    buffer_.erase(0, start_);
    scanned_ -= start_;
    start_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<std::string> LineSplitter::next_line() {
  const std::size_t end = buffer_.find('\n', scanned_);
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    if (buffered_bytes() > line_bytes_max_) {
      overflowed_ = true;
      buffer_.clear();
      start_ = scanned_ = 0;
    }
    return std::nullopt;
  }
  if (end - start_ > line_bytes_max_) {
    overflowed_ = true;
    buffer_.clear();
    start_ = scanned_ = 0;
    return std::nullopt;
  }
  std::string line = buffer_.substr(start_, end - start_);
  start_ = scanned_ = end + 1;
  if (line.ends_with('\r')) {
    line.pop_back();
  }
  return line;
}

std::string LineSplitter::take_rest() {
  std::string rest = buffer_.substr(start_);
  buffer_.clear();
  start_ = scanned_ = 0;
  return rest;
}

}  // namespace aoe::control
