#include "config/toml_scan.h"

#include <fmt/format.h>

#include <utility>

namespace aoe::config {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text_.starts_with(kByteOrderMark)) {
      text_.remove_prefix(kByteOrderMark.size());
    }
  }

  std::optional<TomlProblem> scan() {
    while (!at_end() && !problem_) {
      const char c = peek();
      if (c == '#') {
        skip_comment();
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        take_plain(c);
      }
    }
    return problem_;
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

  [[nodiscard]] char peek() const { return text_[at_]; }

  void advance() {
    if (peek() == '\n') {
      ++line_;
      column_ = 1;
      dots_ = 0;
    } else {
      // A column is a character: the bytes that continue one do not count.
      const bool continues = (static_cast<unsigned char>(peek()) & 0xC0U) == 0x80U;
      column_ += continues ? 0 : 1;
    }
    ++at_;
  }

  void report(std::string text) { problem_ = TomlProblem{line_, column_, std::move(text)}; }

  void skip_comment() {
    while (!at_end() && peek() != '\n') {
      advance();
    }
  }

  // Whether a value could begin here. Elsewhere the library takes a quote for a part of a number or
  // word, and would see as plain text what this scanner skips as a string.
  [[nodiscard]] bool may_begin_value() const {
    return at_ == 0 || std::string_view(" \t\n=,[{").find(text_[at_ - 1]) != std::string_view::npos;
  }

  void skip_string(char quote) {
    if (!may_begin_value()) {
      report("unexpected quote: expected a blank, '=', ',', '[' or '{' before a string");
      return;
    }
    if (text_.substr(at_, 3) == std::string(3, quote)) {
      report("multi-line strings are not used here: expected a string on one line");
      return;
    }
    advance();
    while (!at_end() && peek() != quote) {
      if (peek() == '\n') {
        at_ = text_.size();
        return;
      }
      const bool escape = peek() == '\\' && quote == '"';
      advance();
      if (escape && !at_end() && peek() != '\n') {
        advance();
      }
    }
    if (!at_end()) {
      advance();
    }
  }

  void take_plain(char c) {
    const bool is_blank = c == '\t' || c == '\r' || c == '\n';
    if (!is_blank && (c < ' ' || c > '~')) {
      report(fmt::format("unexpected byte 0x{:02x}: expected ASCII outside of strings and comments",
                         static_cast<unsigned char>(c)));
      return;
    }
    if (c == '.' && ++dots_ > kTomlDotsPerLineMax) {
      report(fmt::format("more than {} dots in a line", kTomlDotsPerLineMax));
      return;
    }
    if ((c == '[' || c == '{') && !may_begin_value()) {
      report(fmt::format("unexpected '{}': expected a blank, '=', ',', '[' or '{{' before it", c));
      return;
    }
    if (c == '=' && has_equals_) {
      report("unexpected '=': expected one '=' between a key and its value");
      return;
    }
    // What may be followed by a further key begins anew.
    has_equals_ = c == '=' || (has_equals_ && c != ',' && c != '{' && c != '\n');
    advance();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t column_ = 1;
  std::size_t dots_ = 0;
  bool has_equals_ = false;  // since the last place where a key could begin
  std::optional<TomlProblem> problem_;
};

}  // namespace

std::optional<TomlProblem> scan_toml(std::string_view text) {
  return Scanner(text).scan();
}

}  // namespace aoe::config
