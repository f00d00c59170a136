#include "compat/option_scanner.h"

#include <fmt/format.h>

#include <utility>

namespace aoe::compat {

std::optional<std::string> OptionScanner::take_word() {
  if (at_ == words_.size()) {
    return std::nullopt;
  }
  return std::move(words_[at_++]);
}

std::optional<OptionScanner::Option> OptionScanner::next() {
  if (in_group_ < group_.size()) {
    return letter();
  }
  while (auto word = take_word()) {
    if (*word == "--") {
      while (auto rest = take_word()) {
        operands_.push_back(*std::move(rest));
      }
      return std::nullopt;
    }
    if (word->starts_with("--")) {
      return long_option(std::string_view(*word).substr(2));
    }
    if (word->size() > 1 && word->front() == '-') {
      group_ = word->substr(1);
      in_group_ = 0;
      return letter();
    }
    operands_.push_back(*std::move(word));
  }
  return std::nullopt;
}

OptionScanner::Option OptionScanner::letter() {
  const char name = group_[in_group_++];
  Option option{.name = std::string(1, name), .value = {}, .error = {}};
  const std::size_t known = name == ':' ? std::string_view::npos : letters_.find(name);
  if (known == std::string_view::npos) {
    option.error = fmt::format("invalid option -- '{}'", name);
    return option;
  }
  if (known + 1 == letters_.size() || letters_[known + 1] != ':') {
    return option;
  }
  if (in_group_ < group_.size()) {
    option.value = group_.substr(in_group_);
    in_group_ = group_.size();
  } else if (auto word = take_word()) {
    option.value = *std::move(word);
  } else {
    option.error = fmt::format("option requires an argument -- '{}'", name);
  }
  return option;
}

OptionScanner::Option OptionScanner::long_option(std::string_view word) {
  const std::size_t equals = word.find('=');
  const std::string_view given = word.substr(0, equals);
  const LongOption* found = nullptr;
  bool is_ambiguous = false;
  for (const LongOption& known : long_options_) {
    if (known.name == given) {
      found = &known;
      is_ambiguous = false;
      break;
    }
    if (known.name.starts_with(given)) {
      is_ambiguous = found != nullptr;
      found = &known;
    }
  }
  Option option{.name = std::string(found == nullptr ? given : found->name),
                .value = std::string(equals == std::string_view::npos ? std::string_view()
                                                                      : word.substr(equals + 1)),
                .error = {}};
  if (found == nullptr || is_ambiguous) {
    option.error = found == nullptr ? fmt::format("unrecognized option '--{}'", given)
                                    : fmt::format("option '--{}' is ambiguous", given);
  } else if (!found->takes_value && equals != std::string_view::npos) {
    option.error = fmt::format("option '--{}' doesn't allow an argument", found->name);
  } else if (found->takes_value && equals == std::string_view::npos) {
    if (auto value = take_word()) {
      option.value = *std::move(value);
    } else {
      option.error = fmt::format("option '--{}' requires an argument", found->name);
    }
  }
  return option;
}

}  // namespace aoe::compat
