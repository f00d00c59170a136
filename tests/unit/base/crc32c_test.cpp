#include "base/crc32c.h"

#include "base/prng.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace aoe {
namespace {

TEST(Crc32c, MatchesTheCheckValueOfTheStandard) {
  EXPECT_EQ(crc32c(as_byte_span("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c({}), 0U);
  EXPECT_EQ(crc32c_portable(as_byte_span("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c_portable({}), 0U);
}

// On a processor without instructions for it both are the same function.
TEST(Crc32c, TheInstructionsAndTheTablesAgreeAtEveryLengthAndAlignment) {
  Prng random(7);
  std::array<std::byte, 900> bytes{};
  for (std::byte& b : bytes) {
    b = static_cast<std::byte>(random.next());
  }
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t length = 0; length + from <= bytes.size(); ++length) {
      const ConstByteSpan piece = ConstByteSpan(bytes).subspan(from, length);
      ASSERT_EQ(crc32c(piece, 0x1234), crc32c_portable(piece, 0x1234)) << from << "+" << length;
    }
  }
}

// Longer ones are taken 256 bytes at a time, or in three streams of blocks.
TEST(Crc32c, TheInstructionsAndTheTablesAgreeOnFrames) {
  Prng random(8);
  std::vector<std::byte> bytes(70'000);
  for (std::byte& b : bytes) {
    b = static_cast<std::byte>(random.next());
  }
  for (const std::size_t length :
       {383U, 384U, 385U, 1060U, 3071U, 3072U, 3073U, 3456U, 4152U, 6144U, 8248U, 9014U, 65536U}) {
    const ConstByteSpan piece = ConstByteSpan(bytes).subspan(3, length);
    EXPECT_EQ(crc32c(piece, 0x1234), crc32c_portable(piece, 0x1234)) << length;
  }
}

TEST(Crc32c, ContinuesOverPieces) {
  const std::string_view text = "a state file in several pieces, longer than eight bytes";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::uint32_t head = crc32c(as_byte_span(text.substr(0, cut)));
    EXPECT_EQ(crc32c(as_byte_span(text.substr(cut)), head), crc32c(as_byte_span(text))) << cut;
  }
}

}  // namespace
}  // namespace aoe
