#include "targetd/export_spec.h"

#include "targetd/config_keys.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace aoe::targetd {
namespace {

using config::ConfigValue;
using config::Diagnostics;
using config::in_quotes;
using config::KeySetter;
using config::sanitized;

// The parts between unescaped commas, with the escapes undone.
std::vector<std::string> split_parts(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '\\' && (next == ',' || next == '\\')) {
      parts.back() += next;
      ++i;
    } else if (text[i] == ',') {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

}  // namespace

std::optional<ExportSpec> parse_export_spec(std::string_view text, std::string_view source,
                                            Diagnostics& diagnostics) {
  const std::string where = fmt::format("{} {}", source, sanitized(text));
  ExportSpec spec;
  spec.config.origin = where;
  KeySetter<ExportConfig> setter(export_keys(), spec.config, diagnostics);
  const auto set = [&](std::string_view name, std::string_view value) {
    setter.set(name, where, ConfigValue::word(std::string(value), where));
  };

  const std::vector<std::string> parts = split_parts(text);
  const std::string_view head = parts.front();
  const std::size_t equals = head.find('=');
  if (equals == std::string_view::npos) {
    diagnostics.add_error(where, "expected SHELF.SLOT=STORE[,KEY=VALUE..]");
    return std::nullopt;
  }
  set("address", head.substr(0, equals));
  set("store", head.substr(equals + 1));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    const std::size_t key_end = part.find('=');
    if (key_end == std::string_view::npos) {
      diagnostics.add_error(
          where, fmt::format("{}: expected KEY=VALUE behind a comma (a comma inside of a path or "
                             "value is written \\,)",
                             in_quotes(part)));
      continue;
    }
    set(part.substr(0, key_end), part.substr(key_end + 1));
  }
  spec.allow_given = setter.was_given("allow");
  return setter.was_set("address") ? std::optional(std::move(spec)) : std::nullopt;
}

}  // namespace aoe::targetd
