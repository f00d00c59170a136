#include "config/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace aoe::config {
namespace {

constexpr std::size_t kShownCharsMax = 120;

// No key is longer; longer input is nobody's slip and must not cost a quadratic comparison.
constexpr std::size_t kComparedCharsMax = 40;

// How many characters have to be put in, taken out or replaced (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replace, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string to_string(const Diagnostic& diagnostic) {
  return diagnostic.where.empty() ? diagnostic.text
                                  : fmt::format("{}: {}", diagnostic.where, diagnostic.text);
}

void Diagnostics::append(Diagnostics other) {
  std::move(other.errors.begin(), other.errors.end(), std::back_inserter(errors));
  std::move(other.warnings.begin(), other.warnings.end(), std::back_inserter(warnings));
}

std::string joined_errors(const Diagnostics& diagnostics) {
  std::string all;
  for (const Diagnostic& error : diagnostics.errors) {
    all += (all.empty() ? "" : "; ") + to_string(error);
  }
  return all;
}

std::string sanitized(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, kShownCharsMax)) {
    if (c >= ' ' && c <= '~') {
      shown += c;
    } else {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > kShownCharsMax) {
    shown += "..";
  }
  return shown;
}

std::string in_quotes(std::string_view text) {
  return '"' + sanitized(text) + '"';
}

std::optional<std::string_view> nearest_word(std::string_view word,
                                             std::span<const std::string_view> candidates) {
  if (word.size() > kComparedCharsMax) {
    return std::nullopt;
  }
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string unknown_word(std::string_view kind, std::string_view word,
                         std::span<const std::string_view> candidates) {
  if (const auto near = nearest_word(word, candidates)) {
    return fmt::format("unknown {} {} (did you mean \"{}\"?)", kind, in_quotes(word), *near);
  }
  return fmt::format("unknown {} {}: expected one of {}", kind, in_quotes(word),
                     joined(candidates));
}

std::string joined(std::span<const std::string_view> words) {
  return fmt::format("{}", fmt::join(words.begin(), words.end(), ", "));
}

}  // namespace aoe::config
