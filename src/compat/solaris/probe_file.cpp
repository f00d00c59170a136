#include "compat/solaris/probe_file.h"

namespace aoe::compat::solaris {
namespace {

template <class Number>
std::string field(const std::optional<Number>& number) {
  return number ? std::to_string(*number) : std::string();
}

}  // namespace

std::string probe_text(const std::vector<AddressPattern>& patterns) {
  std::string text;
  for (const AddressPattern& pattern : patterns) {
    text += field(pattern.channel) + "/" + field(pattern.major) + "/" + field(pattern.minor) + "\n";
  }
  return text;
}

std::vector<AddressPattern> parse_probe(std::string_view text) {
  std::vector<AddressPattern> patterns;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (const auto pattern = parse_address_pattern(text.substr(0, end))) {
      patterns.push_back(*pattern);
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return patterns;
}

}  // namespace aoe::compat::solaris
