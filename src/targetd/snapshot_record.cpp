#include "targetd/snapshot_record.h"

#include "base/parse.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace aoe::targetd {
namespace {

constexpr std::string_view kTitle = "aoekit snapshot record 1\n";
constexpr std::size_t kIdDigits = 16;

std::optional<std::uint64_t> number_of(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return value;
}

// What stands in front of the next `separator`, which goes too.
std::optional<std::string_view> take_word(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end + 1);
  return word;
}

// "e7.101 layer kept 0123..ef 1700000000 /path"
std::optional<SnapshotEntry> entry_of(std::string_view line) {
  const auto address = take_word(line, ' ');
  const auto kind = take_word(line, ' ');
  const auto state = take_word(line, ' ');
  const auto layer = take_word(line, ' ');
  const auto created = take_word(line, ' ');
  if (!created || line.empty() || (*kind != "layer" && *kind != "clone") ||
      (*state != "kept" && *state != "going") || layer->size() != 2 * kIdDigits) {
    return std::nullopt;
  }
  const auto parsed = parse_device_address(*address);
  const auto high = number_of(layer->substr(0, kIdDigits), 16);
  const auto low = number_of(layer->substr(kIdDigits), 16);
  const auto seconds = number_of(*created, 10);
  if (!parsed || !high || !low || !seconds) {
    return std::nullopt;
  }
  return SnapshotEntry{.address = *parsed,
                       .kind = *kind == "layer" ? SnapshotKind::layer : SnapshotKind::clone,
                       .is_going = *state == "going",
                       .layer = {*high, *low},
                       .created_unix_seconds = *seconds,
                       .path = std::string(line)};
}

}  // namespace

std::string SnapshotRecord::encode() const {
  std::string text(kTitle);
  for (const SnapshotEntry& entry : entries) {
    text += fmt::format("{} {} {} {} {} {}\n", to_string(entry.address),
                        entry.kind == SnapshotKind::layer ? "layer" : "clone",
                        entry.is_going ? "going" : "kept", to_string(entry.layer),
                        entry.created_unix_seconds, entry.path);
  }
  return text + "end\n";
}

std::optional<SnapshotRecord> SnapshotRecord::decode(ConstByteSpan text) {
  std::string_view rest = as_text(text);
  if (!rest.starts_with(kTitle)) {
    return std::nullopt;
  }
  rest.remove_prefix(kTitle.size());
  SnapshotRecord record;
  for (;;) {
    const auto line = take_word(rest, '\n');
    if (!line) {
      return std::nullopt;
    }
    if (*line == "end") {
      return rest.empty() ? std::optional(record) : std::nullopt;
    }
    auto entry = entry_of(*line);
    if (!entry || record.entries.size() == kEntriesMax) {
      return std::nullopt;
    }
    record.entries.push_back(*std::move(entry));
  }
}

}  // namespace aoe::targetd
