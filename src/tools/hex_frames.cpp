#include "tools/hex_frames.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace aoe::tools {
namespace {

constexpr std::size_t kLineBytesMax = 16;  // of a line with an offset
constexpr std::size_t kFrameBytesMax = 65535 + 18;

std::optional<std::uint64_t> hex_value(std::string_view word) {
  std::uint64_t value = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, value, 16);
  if (error != std::errc{} || stop != end || word.empty()) {
    return std::nullopt;
  }
  return value;
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string_view> words;
  std::size_t at = line.find_first_not_of(kBlanks);
  while (at != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(kBlanks, at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(kBlanks, end);
  }
  return words;
}

class Parser {
 public:
  // False where the line makes no sense.
  bool take_line(std::string_view line) {
    const auto words = words_of(line);
    if (words.empty()) {
      end_frame();
      return true;
    }
    if (words[0].starts_with('#')) {
      return true;
    }
    std::string_view first = words[0];
    if (first.ends_with(':')) {
      first.remove_suffix(1);
    }
    // Offsets have more than two digits (text2pcap asks for it); a run of digits that is no
    // plausible offset is data.
    const auto offset = hex_value(first);
    const bool has_offset = offset && first.size() > 2 && first.size() <= 8 &&
                            (*offset == 0 || *offset == frame_.size());
    return has_offset ? take_dump_line(*offset, words) : take_plain_line(words);
  }

  void end_frame() {
    if (!frame_.empty()) {
      frames.push_back(std::move(frame_));
      frame_.clear();
    }
  }

  std::vector<std::vector<std::byte>> frames;

 private:
  bool take_dump_line(std::uint64_t offset, const std::vector<std::string_view>& words) {
    if (offset == 0) {
      end_frame();
    }
    std::size_t count = 0;
    for (std::size_t i = 1; i < words.size() && count < kLineBytesMax; ++i, ++count) {
      const auto value = hex_value(words[i]);
      if (!value || words[i].size() != 2) {
        break;
      }
      frame_.push_back(static_cast<std::byte>(*value));
    }
    return count > 0 || words.size() == 1;
  }

  bool take_plain_line(const std::vector<std::string_view>& words) {
    for (const std::string_view word : words) {
      if (word.size() % 2 != 0 || frame_.size() + word.size() / 2 > kFrameBytesMax) {
        return false;
      }
      for (std::size_t i = 0; i < word.size(); i += 2) {
        const auto value = hex_value(word.substr(i, 2));
        if (!value) {
          return false;
        }
        frame_.push_back(static_cast<std::byte>(*value));
      }
    }
    return true;
  }

  std::vector<std::byte> frame_;
};

}  // namespace

Result<std::vector<std::vector<std::byte>>> parse_hex_frames(std::string_view text) {
  Parser parser;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    ++number;
    if (!parser.take_line(text.substr(0, end))) {
      return fail_with(
          Errc::invalid_argument, 0,
          fmt::format("line {}: no hexadecimal frame (like \"0000  ff ff ff ..\")", number));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  parser.end_frame();
  return std::move(parser.frames);
}

}  // namespace aoe::tools
