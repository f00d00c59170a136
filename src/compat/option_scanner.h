// Command lines as getopt(3) of glibc takes them apart, which is what the older programs used.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aoe::compat {

struct LongOption {
  std::string_view name;  // without the dashes
  bool takes_value = false;
};

// Options may stand between and behind the other words, up to "--"; those of one letter may share a
// dash ("-vs5", "-v -s 5"). A long option may be shortened as long as it is the only one.
class OptionScanner {
 public:
  struct Option {
    std::string name;   // "v" or "strict"; of a wrong one, what was given
    std::string value;  // of one that takes a value
    std::string error;  // of a wrong one, what getopt would print: "invalid option -- 'x'"
  };

  // `letters` as for getopt: a colon behind those that take a value.
  OptionScanner(std::vector<std::string> words, std::string_view letters,
                std::span<const LongOption> long_options)
      : words_(std::move(words)), letters_(letters), long_options_(long_options) {}

  // The next option; nullopt when there is none left: then operands() is complete.
  [[nodiscard]] std::optional<Option> next();

  // The words that are no options, in their order.
  [[nodiscard]] const std::vector<std::string>& operands() const { return operands_; }

 private:
  [[nodiscard]] Option long_option(std::string_view word);
  [[nodiscard]] Option letter();
  [[nodiscard]] std::optional<std::string> take_word();

  std::vector<std::string> words_;
  std::string_view letters_;
  std::span<const LongOption> long_options_;
  std::vector<std::string> operands_;
  std::size_t at_ = 0;  // the next word
  std::string group_;   // letters that share a dash
  std::size_t in_group_ = 0;
};

}  // namespace aoe::compat
