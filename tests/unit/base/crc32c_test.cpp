#include "base/crc32c.h"

#include <gtest/gtest.h>

namespace aoe {
namespace {

TEST(Crc32c, MatchesTheCheckValueOfTheStandard) {
  EXPECT_EQ(crc32c(as_byte_span("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c({}), 0U);
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
