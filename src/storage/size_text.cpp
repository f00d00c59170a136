#include "storage/size_text.h"

#include "base/ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace aoe::storage {

namespace {

constexpr std::string_view kUnits = "KMGTP";

constexpr std::uint64_t unit_bytes(std::size_t index) {
  return std::uint64_t{1} << (10U * (index + 1));
}

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::optional<std::uint64_t> parse_suffix(std::string_view suffix) {
  if (suffix.empty()) {
    return 1;
  }
  if (suffix == "s") {
    return kSectorBytes;
  }
  const std::size_t index = kUnits.find(upper(suffix[0]));
  const std::string_view rest = suffix.substr(1);
  if (index == std::string_view::npos || (!rest.empty() && rest != "iB")) {
    return std::nullopt;
  }
  return unit_bytes(index);
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
  const char* end = text.data() + text.size();
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), end, number);
  const auto refused = [&](std::string_view reason) {
    return fail_with(Errc::invalid_argument, 0, fmt::format("size '{}': {}", text, reason));
  };
  if (parsed.ec == std::errc::invalid_argument) {
    return refused("expected a number of bytes, with K, M, G, T, P or s (sectors) behind it");
  }
  const auto unit = parse_suffix(text.substr(static_cast<std::size_t>(parsed.ptr - text.data())));
  if (!unit) {
    return refused("unknown unit (expected K, M, G, T or P, KiB to PiB, or s for sectors)");
  }
  if (parsed.ec != std::errc{} || number > std::numeric_limits<std::uint64_t>::max() / *unit) {
    return refused("does not fit into 64 bits");
  }
  return number * *unit;
}

std::string size_text(std::uint64_t size_bytes) {
  for (std::size_t i = kUnits.size(); i > 0; --i) {
    if (size_bytes != 0 && size_bytes % unit_bytes(i - 1) == 0) {
      return fmt::format("{}{}", size_bytes / unit_bytes(i - 1), kUnits[i - 1]);
    }
  }
  return fmt::format("{}", size_bytes);
}

}  // namespace aoe::storage
