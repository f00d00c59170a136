#include "targetd/freeze_record.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace aoe::targetd {
namespace {

constexpr std::string_view kTitle = "aoekit freeze record 1\n";
constexpr std::size_t kIdDigits = 16;

// What stands behind `name` and a space up to the end of the line.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(name)) {
    return std::nullopt;
  }
  const std::string_view line = text.substr(name.size(), end - name.size());
  text.remove_prefix(end + 1);
  return line;
}

std::optional<std::uint64_t> hex_of(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return value;
}

}  // namespace

std::string FreezeRecord::encode() const {
  return fmt::format("{}layer {}\nstate {}\nshadow {}\nend\n", kTitle, to_string(layer),
                     is_thawing ? "thawing" : "frozen", shadow);
}

std::optional<FreezeRecord> FreezeRecord::decode(ConstByteSpan text) {
  std::string_view rest = as_text(text);
  if (!rest.starts_with(kTitle)) {
    return std::nullopt;
  }
  rest.remove_prefix(kTitle.size());
  const auto layer = take_line(rest, "layer ");
  const auto state = take_line(rest, "state ");
  const auto shadow = take_line(rest, "shadow ");
  if (!layer || !state || !shadow || rest != "end\n" || layer->size() != 2 * kIdDigits ||
      shadow->empty() || (*state != "frozen" && *state != "thawing")) {
    return std::nullopt;
  }
  const auto high = hex_of(layer->substr(0, kIdDigits));
  const auto low = hex_of(layer->substr(kIdDigits));
  if (!high || !low) {
    return std::nullopt;
  }
  return FreezeRecord{
      .layer = {*high, *low}, .shadow = std::string(*shadow), .is_thawing = *state == "thawing"};
}

}  // namespace aoe::targetd
