#include "base/parse.h"

#include "base/ids.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace aoe {
namespace {

constexpr std::string_view kSizeSuffixes = "KMGTP";

struct TimeUnit {
  std::string_view name;
  std::int64_t ns = 0;
};

// From the longest on.
constexpr std::array kTimeUnits{
    TimeUnit{"h", Duration::seconds(3600).ns},    TimeUnit{"m", Duration::seconds(60).ns},
    TimeUnit{"s", Duration::seconds(1).ns},       TimeUnit{"ms", Duration::milliseconds(1).ns},
    TimeUnit{"us", Duration::microseconds(1).ns}, TimeUnit{"ns", 1}};

constexpr Duration kDurationMax = Duration::seconds(std::int64_t{366} * 24 * 3600);

std::optional<std::uint64_t> size_factor(char suffix) {
  if (suffix == 's') {
    return kSectorBytes;
  }
  constexpr char kToUpper = 'a' - 'A';
  const bool lower = suffix >= 'a' && suffix <= 'z';
  const char upper = lower ? static_cast<char>(suffix - kToUpper) : suffix;
  const std::size_t power = kSizeSuffixes.find(upper);
  if (power == std::string_view::npos) {
    return std::nullopt;
  }
  return std::uint64_t{1} << (10U * (power + 1));
}

}  // namespace

Result<std::uint64_t, ParseErrc> parse_unsigned(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::invalid_argument || stop != end) {
    return fail(ParseErrc::not_a_number);
  }
  if (error != std::errc{}) {
    return fail(ParseErrc::too_large);
  }
  return value;
}

Result<std::uint64_t, ParseErrc> parse_size(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  AOE_TRY_ASSIGN(const std::uint64_t count, parse_unsigned(text.substr(0, digits)));
  if (digits == text.size()) {
    return count;
  }
  const auto factor = size_factor(text[digits]);
  const std::string_view rest = text.substr(digits + 1);
  if (!factor || (!rest.empty() && (rest != "iB" || text[digits] == 's'))) {
    return fail(ParseErrc::unknown_suffix);
  }
  if (count > std::numeric_limits<std::uint64_t>::max() / *factor) {
    return fail(ParseErrc::too_large);
  }
  return count * *factor;
}

std::string format_size(std::uint64_t bytes) {
  std::size_t power = 0;
  while (bytes != 0 && bytes % 1024 == 0 && power < kSizeSuffixes.size()) {
    bytes /= 1024;
    ++power;
  }
  std::string text = std::to_string(bytes);
  if (power > 0) {
    text += kSizeSuffixes[power - 1];
  }
  return text;
}

Result<Duration, ParseErrc> parse_duration(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
  double value = 0;
  const auto [stop, error] =
      std::from_chars(text.data(), text.data() + digits, value, std::chars_format::fixed);
  if (error == std::errc::result_out_of_range) {
    return fail(ParseErrc::too_large);
  }
  if (error != std::errc{} || stop != text.data() + digits) {
    return fail(ParseErrc::not_a_number);
  }
  const std::string_view name = digits == text.size() ? "s" : text.substr(digits);
  const auto* const unit =
      std::find_if(kTimeUnits.begin(), kTimeUnits.end(),
                   [&](const TimeUnit& candidate) { return candidate.name == name; });
  if (unit == kTimeUnits.end()) {
    return fail(ParseErrc::unknown_suffix);
  }
  const double ns = value * static_cast<double>(unit->ns);
  if (ns > static_cast<double>(kDurationMax.ns)) {
    return fail(ParseErrc::too_large);
  }
  return Duration{std::llround(ns)};
}

std::string format_duration(Duration duration) {
  if (duration.ns == 0) {
    return "0s";
  }
  const auto* const unit =
      std::find_if(kTimeUnits.begin(), kTimeUnits.end(),
                   [&](const TimeUnit& candidate) { return duration.ns % candidate.ns == 0; });
  return std::to_string(duration.ns / unit->ns) + std::string(unit->name);
}

}  // namespace aoe
