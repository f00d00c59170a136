#include "config/toml_scan.h"

#include <gtest/gtest.h>

#include <string>

namespace aoe::config {
namespace {

// "LINE:COLUMN: TEXT", or nothing.
std::string problem_of(std::string_view text) {
  const auto problem = scan_toml(text);
  return problem ? std::to_string(problem->line) + ":" + std::to_string(problem->column) + ": " +
                       problem->text
                 : "";
}

TEST(TomlScan, OrdinaryFilesPass) {
  EXPECT_EQ(problem_of(""), "");
  EXPECT_EQ(problem_of("a = 1\r\n\t[[b]] # caf\xc3\xa9 \"\"\"\nc = \"\"\nd = ''\n"), "");
  EXPECT_EQ(problem_of("\xef\xbb\xbf"
                       "a = \"\xc3\xa4 \\\" \\\\\"\nb = '\xc3\xa4 \\'\n"),
            "");
}

TEST(TomlScan, OnlyStringsAndCommentsHoldMoreThanAscii) {
  constexpr const char* kText = ": expected ASCII outside of strings and comments";
  EXPECT_EQ(problem_of("a = 1\n\xc3\xa4"), std::string("2:1: unexpected byte 0xc3") + kText);
  EXPECT_EQ(problem_of("\"\xc3\xa4\" \x01"), std::string("1:5: unexpected byte 0x01") + kText);
  EXPECT_EQ(problem_of("'\\'\x7f"), std::string("1:4: unexpected byte 0x7f") + kText);
  EXPECT_EQ(problem_of("\"\\\"\"\x80"), std::string("1:5: unexpected byte 0x80") + kText);
  EXPECT_EQ(problem_of(std::string_view("a\0", 2)),
            std::string("1:2: unexpected byte 0x00") + kText);
}

TEST(TomlScan, MultiLineStringsAreRefused) {
  constexpr const char* kText =
      "multi-line strings are not used here: expected a string on one line";
  EXPECT_EQ(problem_of("a = \"\"\"b\"\"\""), std::string("1:5: ") + kText);
  EXPECT_EQ(problem_of("a = '''b'''"), std::string("1:5: ") + kText);
}

TEST(TomlScan, QuotesBracketsAndEqualsSignsStandWhereTomlHasThem) {
  EXPECT_EQ(problem_of("'a'=\"b\"\nd=['e','f',['g'],\n{h='i','j'={k=1}}]\n[[l]]\n[ m ]\nn=1"), "");
  const std::string quote =
      ": unexpected quote: expected a blank, '=', ',', '[' or '{' before a string";
  EXPECT_EQ(problem_of("a = 1979-05-'\xc3\xa4'"), "1:13" + quote);
  EXPECT_EQ(problem_of("a = 6.'\xc3\xa4'"), "1:7" + quote);
  EXPECT_EQ(problem_of("a = \"b\"'c'"), "1:8" + quote);
  EXPECT_EQ(problem_of("a = 6='\xc3\xa4'"),
            "1:6: unexpected '=': expected one '=' between a key and its value");
  const std::string bracket = ": expected a blank, '=', ',', '[' or '{' before it";
  EXPECT_EQ(problem_of("a = 6['\xc3\xa4'"), "1:6: unexpected '['" + bracket);
  EXPECT_EQ(problem_of("a = 6{'\xc3\xa4'"), "1:6: unexpected '{'" + bracket);
}

TEST(TomlScan, DotsAreCountedByLineAndOutsideOfStrings) {
  const std::string dots(100, '.');
  EXPECT_EQ(problem_of(dots + "\n" + dots + " '" + dots + "' \"" + dots + "\" #" + dots), "");
  EXPECT_EQ(problem_of("\n" + dots + " ."), "2:102: more than 100 dots in a line");
}

TEST(TomlScan, UnterminatedStringsAreLeftToTheLibrary) {
  EXPECT_EQ(problem_of("a = \"x\n\xc3"), "");
  EXPECT_EQ(problem_of("a = \"x\\\n\xc3"), "");
  EXPECT_EQ(problem_of("a = \"x\\"), "");
  EXPECT_EQ(problem_of("a = 'x"), "");
}

}  // namespace
}  // namespace aoe::config
