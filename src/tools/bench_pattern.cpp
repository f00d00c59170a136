#include "tools/bench_pattern.h"

#include <fmt/format.h>

namespace aoe::tools {
namespace {

// A sector: LBA, seed of the run, generation, then words that follow from these three.
constexpr std::size_t kLbaAt = 0;
constexpr std::size_t kSeedAt = 8;
constexpr std::size_t kGenerationAt = 16;
constexpr std::size_t kFillAt = 24;

std::uint64_t fill_seed(Lba lba, const PatternStamp& stamp) {
  constexpr std::uint64_t kSpread = 0x9E37'79B9'7F4A'7C15;
  return stamp.seed ^ lba.value * kSpread ^ std::uint64_t{stamp.generation} << 40U;
}

// Cheap and different in every word; quality of randomness does not matter here.
std::uint64_t next_word(std::uint64_t word) {
  constexpr std::uint64_t kMultiplier = 6364136223846793005U;
  constexpr std::uint64_t kIncrement = 1442695040888963407U;
  return word * kMultiplier + kIncrement;
}

std::string what_is_wrong(ConstByteSpan sector, Lba lba, const PatternStamp& stamp) {
  if (load_le64(sector, kSeedAt) != stamp.seed) {
    return fmt::format("lba {}: write {} was lost: holds data from before this run", lba.value,
                       stamp.generation);
  }
  if (load_le64(sector, kLbaAt) != lba.value) {
    return fmt::format("lba {}: holds the data of lba {}", lba.value, load_le64(sector, kLbaAt));
  }
  if (load_le64(sector, kGenerationAt) != stamp.generation) {
    return fmt::format("lba {}: write {} was lost: holds write {}", lba.value, stamp.generation,
                       load_le64(sector, kGenerationAt));
  }
  return fmt::format("lba {}: some bytes of write {} differ", lba.value, stamp.generation);
}

bool is_right(ConstByteSpan sector, Lba lba, const PatternStamp& stamp) {
  bool right = load_le64(sector, kLbaAt) == lba.value && load_le64(sector, kSeedAt) == stamp.seed &&
               load_le64(sector, kGenerationAt) == stamp.generation;
  std::uint64_t word = fill_seed(lba, stamp);
  for (std::size_t at = kFillAt; right && at < kSectorBytes; at += 8) {
    word = next_word(word);
    right = load_le64(sector, at) == word;
  }
  return right;
}

}  // namespace

void fill_pattern(ByteSpan sectors, Lba lba, const PatternStamp& stamp) {
  for (std::size_t start = 0; start + kSectorBytes <= sectors.size(); start += kSectorBytes) {
    const ByteSpan sector = sectors.subspan(start, kSectorBytes);
    store_le64(sector, kLbaAt, lba.value);
    store_le64(sector, kSeedAt, stamp.seed);
    store_le64(sector, kGenerationAt, stamp.generation);
    std::uint64_t word = fill_seed(lba, stamp);
    for (std::size_t at = kFillAt; at < kSectorBytes; at += 8) {
      word = next_word(word);
      store_le64(sector, at, word);
    }
    ++lba.value;
  }
}

std::string check_pattern(ConstByteSpan sectors, Lba lba, const PatternStamp& stamp) {
  for (std::size_t start = 0; start + kSectorBytes <= sectors.size(); start += kSectorBytes) {
    const ConstByteSpan sector = sectors.subspan(start, kSectorBytes);
    if (!is_right(sector, lba, stamp)) {
      return what_is_wrong(sector, lba, stamp);
    }
    ++lba.value;
  }
  return "";
}

}  // namespace aoe::tools
