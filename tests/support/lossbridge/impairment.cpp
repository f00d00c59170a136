#include "support/lossbridge/impairment.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

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

// True with probability `p`.
bool happens(Prng& prng, double p) {
  constexpr double kScale = 1.0 / static_cast<double>(std::uint64_t{1} << 53U);
  return static_cast<double>(prng.next() >> 11U) * kScale < p;
}

Duration random_below(Prng& prng, Duration bound) {
  return Duration::nanoseconds(
      static_cast<std::int64_t>(prng.below(static_cast<std::uint64_t>(bound.ns))));
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

Fate decide_fate(const Impairment& impairment, std::uint64_t seed, std::size_t direction,
                 std::uint64_t number, std::size_t bytes) {
  // Prng mixes its seed well; two odd factors keep the three parts apart.
  Prng prng(seed + direction * 0x9E3779B97F4A7C15ULL + number * 0xD1342543DE82EF95ULL);
  Fate fate;
  fate.lost = happens(prng, impairment.loss);
  const bool flip = happens(prng, impairment.flip);
  const std::uint64_t bit = prng.below(std::uint64_t{bytes} * 8);
  if (flip && bytes > 0) {
    fate.flipped_bit = bit;
  }
  fate.copies = happens(prng, impairment.dup) ? 2 : 1;
  const Duration spread = impairment.delay_max - impairment.delay_min;
  for (Fate::Copy& copy : fate.copy) {
    copy.delay = impairment.delay_min + random_below(prng, spread + Duration::nanoseconds(1));
    copy.reordered = happens(prng, impairment.reorder);
    const Duration extra = random_below(prng, kReorderDelay) + Duration::nanoseconds(1);
    if (copy.reordered) {
      copy.delay = copy.delay + extra;
    }
  }
  return fate;
}

}  // namespace aoe::lossbridge
