#include "config/toml_text.h"

#include <fmt/format.h>

namespace aoe::config {
namespace {

template <class Item, class ToText>
std::string toml_list(const std::vector<Item>& items, ToText to_text) {
  std::string text = "[";
  for (const Item& item : items) {
    text += text.size() > 1 ? ", " : "";
    text += toml_string(to_text(item));
  }
  return text + "]";
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string quoted_text = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted_text += '\\';
      quoted_text += c;
    } else if ((c >= '\0' && c < ' ') || c == '\x7f') {
      quoted_text += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      quoted_text += c;
    }
  }
  return quoted_text + '"';
}

std::string toml_names(const std::vector<std::string>& names) {
  return toml_list(names, [](const std::string& name) { return name; });
}

std::string toml_macs(const std::vector<MacAddress>& macs) {
  return toml_list(macs, [](const MacAddress& mac) { return to_string(mac); });
}

Printed toml_unless_empty(const std::string& text) {
  return text.empty() ? Printed{} : toml_string(text);
}

}  // namespace aoe::config
