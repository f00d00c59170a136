#include "sim/checkers/sector_content.h"

#include <algorithm>
#include <array>

namespace aoe::sim {
namespace {

constexpr std::size_t kWords = kSectorBytes / 8;
constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15ULL;

using Words = std::array<std::uint64_t, kWords>;

Words load_words(ConstByteSpan sector) {
  Words words;
  copy_bytes(std::as_writable_bytes(std::span(words)), sector.first(kSectorBytes));
  return words;
}

constexpr std::uint64_t place_word(SectorPlace place) {
  return std::uint64_t{place.disk} << 48U | place.lba;
}

// Host byte order: the bytes never leave the process.
Words make_words(SectorValue value, SectorPlace place) {
  Words words;
  words[0] = value.raw;
  words[1] = place_word(place);
  for (std::size_t i = 2; i < kWords; ++i) {
    words[i] = (value.raw ^ words[1]) + i * kStep;
  }
  return words;
}

}  // namespace

void fill_sector(ByteSpan sector, SectorValue value, SectorPlace place) {
  if (value.is_zero()) {
    fill_zero(sector);
    return;
  }
  const Words words = make_words(value, place);
  copy_bytes(sector, std::as_bytes(std::span(words)));
}

std::optional<SectorValue> read_sector(ConstByteSpan sector, SectorPlace place) {
  const Words words = load_words(sector);
  const SectorValue value{words[0]};
  const Words expected = value.is_zero() ? Words{} : make_words(value, place);
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < kWords; ++i) {
    difference |= words[i] ^ expected[i];
  }
  return difference == 0 ? std::optional(value) : std::nullopt;
}

std::string to_string(SectorValue value) {
  if (value.is_zero()) {
    return "zeros";
  }
  return "write " + std::to_string(value.op()) + " of writer " + std::to_string(value.writer());
}

std::string describe_bad_sector(ConstByteSpan sector, SectorPlace place) {
  const Words words = load_words(sector);
  const SectorValue value{words[0]};
  const SectorPlace stated{.disk = static_cast<std::uint32_t>(words[1] >> 48U),
                           .lba = words[1] & ((std::uint64_t{1} << 48U) - 1)};
  if (words[1] != place_word(place) && read_sector(sector, stated)) {
    return "holds sector " + std::to_string(stated.lba) + " of disk " +
           std::to_string(stated.disk) + " (" + to_string(value) + ")";
  }
  const Words expected = make_words(value, stated);
  std::size_t wrong = 0;
  while (wrong < kWords && words[wrong] == expected[wrong]) {
    ++wrong;
  }
  return "is damaged from byte " + std::to_string(wrong * 8) + " on (begins as " +
         to_string(value) + ")";
}

}  // namespace aoe::sim
