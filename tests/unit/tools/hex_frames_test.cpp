#include "tools/hex_frames.h"

#include <gtest/gtest.h>

namespace aoe::tools {
namespace {

TEST(HexFrames, ReadsDumpsWithOffsetsAndText) {
  const auto frames = parse_hex_frames(
      "# two frames\n"
      "0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  ................\n"
      "0010  10 11                                            ..\n"
      "\n"
      "000000: ff fe\n");
  ASSERT_TRUE(frames.has_value()) << frames.error().message;
  ASSERT_EQ(frames->size(), 2U);
  EXPECT_EQ((*frames)[0].size(), 18U);
  EXPECT_EQ((*frames)[0][17], std::byte{0x11});
  EXPECT_EQ((*frames)[1].size(), 2U);
}

TEST(HexFrames, OffsetZeroStartsAFrameWithoutAnEmptyLine) {
  const auto frames = parse_hex_frames("0000 01 02\n0000 03\n");
  ASSERT_TRUE(frames.has_value());
  EXPECT_EQ(frames->size(), 2U);
}

TEST(HexFrames, TextThatLooksLikeBytesBehindSixteenIsNotData) {
  const auto frames =
      parse_hex_frames("0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  ab cd\r\n");
  ASSERT_TRUE(frames.has_value());
  EXPECT_EQ((*frames)[0].size(), 16U);
}

TEST(HexFrames, ReadsPastedDigits) {
  const auto frames = parse_hex_frames("ffffffffffff020000000001 88a2\n10 00\n");
  ASSERT_TRUE(frames.has_value());
  ASSERT_EQ(frames->size(), 1U);
  EXPECT_EQ((*frames)[0].size(), 16U);
}

TEST(HexFrames, NamesTheLineThatIsNone) {
  for (const char* text : {"0000 01\nhello\n", "0000 01\nabc\n", "0000 01\n12 3\n"}) {
    const auto frames = parse_hex_frames(text);
    ASSERT_FALSE(frames.has_value()) << text;
    EXPECT_TRUE(frames.error().message.starts_with("line 2: ")) << frames.error().message;
  }
  EXPECT_TRUE(parse_hex_frames("")->empty());
}

}  // namespace
}  // namespace aoe::tools
