// What is wrong, or worth a word, in a configuration: collected, so that one run tells all of it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::config {

struct Diagnostic {
  std::string where;  // "aoe-targetd.toml:12:8", "-e 7.1=/srv/a.img", "command line"
  std::string text;   // what is wrong and what was expected, without a full stop
};

// "aoe-targetd.toml:12:8: mode: ...": one line for people, to stand behind the program's name.
[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);

struct Diagnostics {
  std::vector<Diagnostic> errors;
  std::vector<Diagnostic> warnings;

  [[nodiscard]] bool ok() const { return errors.empty(); }

  void add_error(std::string where, std::string text) {
    errors.push_back({std::move(where), std::move(text)});
  }

  void add_warning(std::string where, std::string text) {
    warnings.push_back({std::move(where), std::move(text)});
  }

  // Moves all of `other` to the end.
  void append(Diagnostics other);
};

// All errors in one line, for an answer that has room for one text.
[[nodiscard]] std::string joined_errors(const Diagnostics& diagnostics);

// Text from outside, made fit for one line of a message: in double quotes, control characters and
// bytes that are not ASCII as \xNN, and cut after 120 characters.
[[nodiscard]] std::string in_quotes(std::string_view text);

// The same without the quotes.
[[nodiscard]] std::string sanitized(std::string_view text);

// The candidate that `word` is probably a slip of, if one is close enough; the first of equals.
[[nodiscard]] std::optional<std::string_view> nearest_word(
    std::string_view word, std::span<const std::string_view> candidates);

// `unknown key "bufers" (did you mean "buffers"?)`, or all candidates where none is close.
// `kind` is "key", "option" and so on.
[[nodiscard]] std::string unknown_word(std::string_view kind, std::string_view word,
                                       std::span<const std::string_view> candidates);

// "a, b, c"
[[nodiscard]] std::string joined(std::span<const std::string_view> words);

}  // namespace aoe::config
