#include "support/lossbridge/impairment.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <optional>

namespace aoe::lossbridge {
namespace {

std::optional<double> parse_number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= 0) || value > 1e12) {
    return std::nullopt;
  }
  return value;
}

double* probability_of(Impairment& impairment, std::string_view property) {
  if (property == "loss") {
    return &impairment.loss;
  }
  if (property == "dup") {
    return &impairment.dup;
  }
  if (property == "reorder") {
    return &impairment.reorder;
  }
  return property == "flip" ? &impairment.flip : nullptr;
}

bool set_delay(Impairment& impairment, const std::string& value) {
  const std::size_t comma = value.find(',');
  const auto low = parse_number(value.substr(0, comma));
  const auto high = comma == std::string::npos ? low : parse_number(value.substr(comma + 1));
  if (!low || !high || *high < *low) {
    return false;
  }
  impairment.delay_min = Duration::microseconds(std::llround(*low));
  impairment.delay_max = Duration::microseconds(std::llround(*high));
  return true;
}

bool set_number(Impairment& impairment, std::string_view property, const std::string& value) {
  const auto number = parse_number(value);
  if (!number) {
    return false;
  }
  if (double* probability = probability_of(impairment, property)) {
    *probability = *number;
    return *number <= 1;
  }
  if (property == "max-frame") {
    impairment.max_frame_bytes = static_cast<std::size_t>(*number);
    return true;
  }
  if (property == "rate") {
    impairment.rate_mbps = *number;
    return true;
  }
  return false;
}

}  // namespace

Result<void> set_property(Impairment& impairment, std::string_view property,
                          const std::string& value) {
  bool valid = true;
  if (property == "down" || property == "up") {
    impairment.down = property == "down";
  } else if (property == "clear") {
    impairment = {};
  } else if (property == "delay") {
    valid = set_delay(impairment, value);
  } else {
    valid = set_number(impairment, property, value);
  }
  if (!valid) {
    return fail_with(Errc::invalid_argument, 0,
                     fmt::format("{} {}: not understood", property, value));
  }
  return {};
}

bool happens(Prng& prng, double p) {
  constexpr double kScale = 1.0 / static_cast<double>(std::uint64_t{1} << 53U);
  return static_cast<double>(prng.next() >> 11U) * kScale < p;
}

}  // namespace aoe::lossbridge
