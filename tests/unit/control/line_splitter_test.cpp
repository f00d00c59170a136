#include "control/line_splitter.h"

#include <gtest/gtest.h>

#include <string>

namespace aoe::control {
namespace {

TEST(LineSplitter, GivesTheSameLinesHoweverTheBytesArrive) {
  const std::string stream = "one\r\n\ntwo\nthree";
  for (std::size_t chunk = 1; chunk <= stream.size(); ++chunk) {
    LineSplitter splitter(100);
    std::string seen;
    for (std::size_t at = 0; at < stream.size(); at += chunk) {
      splitter.append(std::string_view(stream).substr(at, chunk));
      while (const auto line = splitter.next_line()) {
        seen += *line + "|";
      }
    }
    EXPECT_EQ(seen, "one||two|") << chunk;
    EXPECT_EQ(splitter.take_rest(), "three");
    EXPECT_EQ(splitter.buffered_bytes(), 0U);
  }
}

TEST(LineSplitter, TakesALineOfExactlyTheLimit) {
  LineSplitter splitter(4);
  splitter.append("abcd");
  EXPECT_FALSE(splitter.next_line());
  EXPECT_FALSE(splitter.overflowed());
  splitter.append("\n");
  EXPECT_EQ(splitter.next_line(), "abcd");
}

TEST(LineSplitter, OverflowsOnALongerLineWithOrWithoutItsEnd) {
  for (const char* text : {"ok\nabcde", "ok\nabcde\nlater\n"}) {
    LineSplitter splitter(4);
    splitter.append(text);
    EXPECT_EQ(splitter.next_line(), "ok");
    EXPECT_FALSE(splitter.next_line());
    EXPECT_TRUE(splitter.overflowed());
    splitter.append("more\n");
    EXPECT_FALSE(splitter.next_line());
    EXPECT_EQ(splitter.buffered_bytes(), 0U);
  }
}

}  // namespace
}  // namespace aoe::control
